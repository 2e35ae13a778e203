-- Takes webhooks at which something is due and which no other worker has, for one worker until the lease ends.
WITH due AS (
    SELECT owner_id, id FROM webhooks
    WHERE is_active AND due_at <= now() AND (taken_until IS NULL OR taken_until < now())
    ORDER BY due_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE webhooks w SET taken_by = :worker_id::text::uuid, taken_until = now() + :lease
FROM due WHERE w.owner_id = due.owner_id AND w.id = due.id
RETURNING w.owner_id, w.id
