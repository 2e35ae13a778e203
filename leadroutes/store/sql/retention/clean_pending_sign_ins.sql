-- Deletes sign-ins whose second step never came. :before is real time.
WITH old AS (
    SELECT token_hash FROM pending_sign_ins
    WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM pending_sign_ins x USING old WHERE x.token_hash = old.token_hash RETURNING 1
)
SELECT count(*) FROM gone
