-- Deletes invitation links that have expired. :before is real time.
WITH old AS (
    SELECT token_hash FROM invitation_tokens WHERE expires_at < :before ORDER BY expires_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM invitation_tokens k USING old WHERE k.token_hash = old.token_hash RETURNING 1
)
SELECT count(*) FROM gone
