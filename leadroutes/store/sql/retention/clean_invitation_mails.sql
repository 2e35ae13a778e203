-- Deletes the records of addresses that may be sent an invitation again.
WITH old AS (
    SELECT address FROM invitation_mails WHERE mailed_at < :before ORDER BY mailed_at LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM invitation_mails i USING old WHERE i.address = old.address RETURNING 1
)
SELECT count(*) FROM gone
