-- Queues a failed message again, with all its attempts, and reopens its campaign step; its user counts as reachable
-- until a mail server says otherwise. Returns a row where the message had failed.
WITH queued AS (
    UPDATE messages SET state = 'queued', reason = NULL, attempts = 0
    WHERE owner_id = :owner_id AND id = :message_id AND state = 'failed'
    RETURNING owner_id, communication_id, user_id
), reachable AS (
    DELETE FROM unreachable_users u USING queued WHERE u.user_id = queued.user_id
), reopened AS (
    UPDATE contact_communications c
    SET is_active = true, completed_at = NULL, completing_user_id = NULL, sent_from_user_id = NULL
    FROM queued WHERE c.owner_id = queued.owner_id AND c.id = queued.communication_id
)
SELECT true FROM queued
