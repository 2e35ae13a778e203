-- Deletes old entries of the message queue's job log.
WITH old AS (
    SELECT id FROM pgqueuer_log WHERE created < :before ORDER BY created LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM pgqueuer_log l USING old WHERE l.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
