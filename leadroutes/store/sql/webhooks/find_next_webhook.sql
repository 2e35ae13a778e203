-- Returns the seconds until a webhook is due that no worker has, 0 or less where one is; null where there is none.
SELECT extract(epoch FROM min(greatest(due_at, coalesce(taken_until, due_at))) - now())::float8
FROM (SELECT due_at, taken_until FROM webhooks
      WHERE is_active AND due_at IS NOT NULL AND taken_by IS NULL
      ORDER BY due_at LIMIT 1000) w
