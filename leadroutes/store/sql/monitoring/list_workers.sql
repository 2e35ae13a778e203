-- Living workers, which is to say heard of within 30 seconds (as /readyz and leadroutes_workers_alive have it), and how long ago.
SELECT worker_id, extract(epoch FROM now() - beat_at)::float8 AS silence
FROM worker_heartbeats WHERE beat_at > now() - interval '30 seconds' ORDER BY worker_id LIMIT 50
