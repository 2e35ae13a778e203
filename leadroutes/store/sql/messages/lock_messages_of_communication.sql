-- Locks the messages of a campaign step.
SELECT FROM messages WHERE owner_id = :owner_id AND communication_id = :communication_id FOR NO KEY UPDATE
