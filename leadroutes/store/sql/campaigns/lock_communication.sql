-- Locks a campaign step and returns whether it is active and who has sent it.
SELECT is_active, sent_from_user_id FROM contact_communications
WHERE owner_id = :owner_id AND id = :communication_id
FOR NO KEY UPDATE
