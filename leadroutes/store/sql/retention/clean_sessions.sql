-- $1 real now, $2 how many. Sessions that are over.
WITH old AS (
    SELECT token_hash FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM sessions s USING old WHERE s.token_hash = old.token_hash RETURNING 1
)
SELECT count(*) FROM gone
