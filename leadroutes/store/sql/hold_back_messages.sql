-- $1 now. After a restore: what contacts may have been sent since the backup was made is listed as unknown, and not sent.
-- That is every message to a contact that is open, and every campaign step whose moment has passed. Answers how many.
WITH open AS (
    UPDATE messages SET state = 'unknown', reason = 'restored from a backup; it may have been sent before'
    WHERE contact_id IS NOT NULL AND state IN ('queued', 'sending')
    RETURNING owner_id, communication_id
), due AS (
    UPDATE contact_communications SET taken_at = $1, is_active = false, completed_at = $1
    WHERE is_active AND taken_at IS NULL AND send_at <= $1
    RETURNING owner_id, id, contact_id, lead_id, type
), done AS (
    UPDATE contact_communications c SET is_active = false, completed_at = $1
    FROM open WHERE c.owner_id = open.owner_id AND c.id = open.communication_id AND c.is_active
), passed AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, state, reason, created_at)
    SELECT owner_id, 'campaign', CASE type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           lead_id, contact_id, id, 'unknown', 'restored from a backup; it may have been sent before', $1
    FROM due
    ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
        SET state = excluded.state, reason = excluded.reason
    RETURNING 1
)
SELECT (SELECT count(*) FROM open) + (SELECT count(*) FROM passed)
