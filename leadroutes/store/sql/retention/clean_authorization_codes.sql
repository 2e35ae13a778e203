-- Deletes authorization codes that expired so long ago that a second use need not be noticed.
WITH old AS (
    SELECT code_hash FROM authorization_codes WHERE expires_at < :before ORDER BY expires_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM authorization_codes c USING old WHERE c.code_hash = old.code_hash RETURNING 1
)
SELECT count(*) FROM gone
