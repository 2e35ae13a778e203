-- Deletes requests to change an e-mail whose links have expired. :before is real time.
WITH old AS (
    SELECT id FROM email_changes WHERE expires_at < :before ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM email_changes c USING old WHERE c.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
