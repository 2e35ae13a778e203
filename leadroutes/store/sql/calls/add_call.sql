-- Adds a call that is about to be placed for a message to a member.
INSERT INTO calls (owner_id, message_id, lead_id, user_id, token_hash, number, created_at)
SELECT m.owner_id, m.id, m.lead_id, m.user_id, :token_hash, :number, :now
FROM messages m
WHERE m.owner_id = :owner_id AND m.id = :message_id
