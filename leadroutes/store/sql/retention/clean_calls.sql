-- Deletes calls that were placed before a moment.
WITH old AS (
    SELECT owner_id, id FROM calls WHERE created_at < :before ORDER BY created_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM calls c USING old WHERE c.owner_id = old.owner_id AND c.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
