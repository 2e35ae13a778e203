-- Deletes what happened at sign-ins long ago. :before is real time.
WITH old AS (
    SELECT id FROM sign_ins WHERE created_at < :before ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM sign_ins x USING old WHERE x.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
