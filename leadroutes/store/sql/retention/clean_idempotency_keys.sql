-- Deletes dedupe keys created before a moment; those of vendors and imports stay forever.
WITH old AS (
    SELECT owner_id, scope, key FROM idempotency_keys
    WHERE created_at < :before AND (scope LIKE 'body %' OR scope LIKE 'key %')
    ORDER BY created_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM idempotency_keys k USING old
    WHERE k.owner_id = old.owner_id AND k.scope = old.scope AND k.key = old.key
    RETURNING 1
)
SELECT count(*) FROM gone
