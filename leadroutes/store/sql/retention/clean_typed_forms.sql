-- Deletes what was typed into forms before a moment of real time.
WITH old AS (
    SELECT token_hash FROM typed_forms WHERE typed_at < :before ORDER BY typed_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM typed_forms f USING old WHERE f.token_hash = old.token_hash RETURNING 1
)
SELECT count(*) FROM gone
