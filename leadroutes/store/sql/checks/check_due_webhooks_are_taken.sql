-- While a worker is alive, no webhook waits for one by more than five minutes.
SELECT owner_id, id AS webhook_id, due_at
FROM webhooks
WHERE is_active AND due_at < clock_timestamp() - interval '5 minutes'
  AND coalesce(taken_until < clock_timestamp() - interval '5 minutes', true)
  AND EXISTS (SELECT FROM worker_heartbeats WHERE beat_at > clock_timestamp() - interval '30 seconds')
