-- Deletes dedupe keys that expired before a moment; those of vendors and imports never expire.
WITH old AS (
    SELECT owner_id, scope, key FROM idempotency_keys
    WHERE expires_at < :before
    ORDER BY expires_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM idempotency_keys k USING old
    WHERE k.owner_id = old.owner_id AND k.scope = old.scope AND k.key = old.key
    RETURNING 1
)
SELECT count(*) FROM gone
