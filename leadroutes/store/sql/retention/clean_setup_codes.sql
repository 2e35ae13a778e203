-- Deletes codes of the first start that have expired. :before is real time.
WITH old AS (
    SELECT code_hash FROM setup_codes WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM setup_codes x USING old WHERE x.code_hash = old.code_hash RETURNING 1
)
SELECT count(*) FROM gone
