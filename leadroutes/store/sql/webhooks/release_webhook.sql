-- Ends a worker's lease of a webhook, which is locked: others take it when the first of its deliveries is due, but not
-- before it has had its rest.
UPDATE webhooks w
SET taken_by = NULL, taken_until = CASE WHEN :rest > interval '0' THEN now() + :rest END,
    due_at = (SELECT min(d.due_at) FROM webhook_deliveries d
              WHERE d.owner_id = w.owner_id AND d.webhook_id = w.id AND d.due_at IS NOT NULL)
WHERE w.owner_id = :owner_id AND w.id = :webhook_id AND w.taken_by = :worker_id::text::uuid
