-- Marks a message whose mail came back as failed for good, and its user as unreachable at that address. Returns the
-- state that it had; a message that is just being sent is not changed.
WITH present AS (
    SELECT owner_id, id, state FROM messages WHERE owner_id = :owner_id AND id = :message_id FOR NO KEY UPDATE
), failed AS (
    UPDATE messages m SET state = 'failed', reason = :reason
    FROM present p
    WHERE m.owner_id = p.owner_id AND m.id = p.id AND p.state IN ('queued', 'sent', 'unknown')
    RETURNING m.owner_id, m.user_id, m.communication_id, m.address
), done AS (
    UPDATE contact_communications c SET is_active = false, completed_at = :now
    FROM failed f WHERE c.owner_id = f.owner_id AND c.id = f.communication_id AND c.is_active
), unreachable AS (
    INSERT INTO unreachable_users (user_id, address, reason, at)
    SELECT u.id, f.address, :reason, :now
    FROM failed f JOIN users u ON u.id = f.user_id AND lower(u.email) = lower(f.address)
    ON CONFLICT (user_id) DO UPDATE SET address = excluded.address, reason = excluded.reason, at = excluded.at
)
SELECT state FROM present
