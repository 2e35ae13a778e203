-- $1 written before, $2 how many. The message queue's own log of jobs.
WITH old AS (
    SELECT id FROM pgqueuer_log WHERE created < $1 ORDER BY created LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM pgqueuer_log l USING old WHERE l.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
