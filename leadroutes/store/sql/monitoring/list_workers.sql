-- Lists the workers that are alive, which means heard of within 30 seconds (as for /readyz and
-- leadroutes_workers_alive), and how long ago each was heard of.
SELECT worker_id, extract(epoch FROM now() - beat_at)::float8 AS silence
FROM worker_heartbeats WHERE beat_at > now() - interval '30 seconds' ORDER BY worker_id LIMIT 50
