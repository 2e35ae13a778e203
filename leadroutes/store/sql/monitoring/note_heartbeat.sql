-- Records that a worker is alive, and deletes workers that were last heard of more than a day ago.
WITH gone AS (DELETE FROM worker_heartbeats WHERE beat_at < now() - interval '1 day')
INSERT INTO worker_heartbeats (worker_id, beat_at) VALUES (:worker_id, now())
ON CONFLICT (worker_id) DO UPDATE SET beat_at = excluded.beat_at
