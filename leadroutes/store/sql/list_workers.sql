-- Workers that have been heard of lately, and how long ago.
SELECT worker_id, extract(epoch FROM now() - beat_at)::float8 AS silence
FROM worker_heartbeats WHERE beat_at > now() - interval '10 minutes' ORDER BY worker_id LIMIT 50
