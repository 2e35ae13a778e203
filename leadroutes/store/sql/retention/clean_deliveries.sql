-- Deletes deliveries to webhooks that were added before a moment of real time, also those that still wait.
WITH old AS (
    SELECT owner_id, id FROM webhook_deliveries
    WHERE created_at < :before
    ORDER BY created_at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM webhook_deliveries d USING old WHERE d.owner_id = old.owner_id AND d.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
