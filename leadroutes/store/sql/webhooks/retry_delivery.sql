-- Makes a delivery due at once, with all its tries, and returns its id; none where its data is gone. The webhook is
-- locked.
WITH again AS (
    UPDATE webhook_deliveries SET state = 'waiting', reason = NULL, tried = 0,
        due_at = date_trunc('milliseconds', now())
    WHERE owner_id = :owner_id AND webhook_id = :webhook_id AND id = :delivery_id AND data IS NOT NULL
    RETURNING owner_id, webhook_id, id
), due AS (
    UPDATE webhooks w SET due_at = least(w.due_at, now()) FROM again
    WHERE w.owner_id = again.owner_id AND w.id = again.webhook_id
)
SELECT id FROM again
