-- Deletes trust in browsers that has ended. :before is real time.
WITH old AS (
    SELECT id FROM trusted_browsers WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM trusted_browsers x USING old WHERE x.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
