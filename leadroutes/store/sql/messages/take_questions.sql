-- Takes the texts about which the provider is to be asked now, the first one first. Each is asked about again after an
-- hour, for two days.
WITH due AS (
    SELECT owner_id, id, asks_at FROM messages
    WHERE asks_at <= :now::timestamptz AND id <> ALL (:excluded::bigint[])
    ORDER BY asks_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE messages m
SET asks_at = CASE WHEN m.state IN ('sent', 'unknown') AND m.delivered_at IS NULL
    AND coalesce(m.sent_at, m.created_at) > :now - interval '2 days'
    THEN :now + interval '1 hour' END
FROM due WHERE m.owner_id = due.owner_id AND m.id = due.id
RETURNING m.owner_id, m.id, due.asks_at AS due_at
