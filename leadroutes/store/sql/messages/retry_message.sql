-- :owner_id owner, :message_id message. A message that failed is to be sent once more, with all of its attempts; so is the campaign step that
-- it belongs to. Returns a row where there was one to send.
WITH again AS (
    UPDATE messages SET state = 'queued', reason = NULL, attempts = 0
    WHERE owner_id = :owner_id AND id = :message_id AND state = 'failed'
    RETURNING owner_id, communication_id
), reopened AS (
    UPDATE contact_communications c
    SET is_active = true, completed_at = NULL, completing_user_id = NULL, sent_from_user_id = NULL
    FROM again WHERE c.owner_id = again.owner_id AND c.id = again.communication_id
)
SELECT true FROM again
