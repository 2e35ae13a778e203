-- :before expired before, :most how many. Codes whose second use nobody has to notice any more.
WITH old AS (
    SELECT code_hash FROM authorization_codes WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM authorization_codes c USING old WHERE c.code_hash = old.code_hash RETURNING 1
)
SELECT count(*) FROM gone
