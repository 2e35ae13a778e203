-- Deletes links that set a password, a week after their end. :before is real time.
WITH old AS (
    SELECT id FROM password_links WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM password_links x USING old WHERE x.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
