-- Deletes sessions that have expired. :before is real time.
WITH old AS (
    SELECT token_hash FROM sessions WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM sessions s USING old WHERE s.token_hash = old.token_hash RETURNING 1
)
SELECT count(*) FROM gone
