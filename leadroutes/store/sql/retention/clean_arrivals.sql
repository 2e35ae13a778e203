-- Deletes the bodies and headers of arrivals received before a moment, except pending ones, which have not been read
-- yet.
WITH old AS (
    SELECT owner_id, id FROM arrivals
    WHERE received_at < :before AND emptied_at IS NULL AND status <> 'pending'
    ORDER BY received_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
), emptied AS (
    UPDATE arrivals a
    SET body = '', headers = '{}', proof = NULL, correction = NULL, correction_type = NULL, emptied_at = now()
    FROM old WHERE a.owner_id = old.owner_id AND a.id = old.id
    RETURNING 1
)
SELECT count(*) FROM emptied
