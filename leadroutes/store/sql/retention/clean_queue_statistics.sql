-- Deletes old entries of the message queue's statistics, smallest id first.
WITH old AS (
    SELECT id FROM pgqueuer_statistics
    WHERE id IN (SELECT id FROM pgqueuer_statistics ORDER BY id LIMIT :most) AND created < :before
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM pgqueuer_statistics s USING old WHERE s.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
