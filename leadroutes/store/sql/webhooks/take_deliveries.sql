-- Returns the first due deliveries of a webhook that a worker has, in the order in which they are to be sent.
SELECT d.id, d.message_id::text AS message_id, d.type, d.at, d.data, d.lead_id, d.contact_id, d.tried,
       extract(epoch FROM now() - d.due_at)::float8 AS late, w.url, w.format, w.secret,
       CASE WHEN w.old_secret_ends_at > now() THEN w.old_secret END AS old_secret
FROM webhooks w
CROSS JOIN LATERAL (
    SELECT * FROM webhook_deliveries d
    WHERE d.owner_id = w.owner_id AND d.webhook_id = w.id AND d.due_at <= now()
    ORDER BY d.due_at, d.id LIMIT :most) d
WHERE w.owner_id = :owner_id AND w.id = :webhook_id AND w.is_active AND w.taken_by = :worker_id::text::uuid
  AND w.taken_until > now()
ORDER BY d.due_at, d.id
