-- Stops the unsent steps of a campaign that is about to be removed.
SELECT end_steps(ARRAY(SELECT id FROM contact_communications WHERE campaign_id = :campaign_id AND is_active),
                 :now, :by_user_id, 'the campaign was removed')
