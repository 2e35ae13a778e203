-- Stops a campaign step.
SELECT end_steps(ARRAY(SELECT id FROM contact_communications WHERE owner_id = :owner_id AND id = :communication_id),
                 :now, :by_user_id, 'it was stopped')
