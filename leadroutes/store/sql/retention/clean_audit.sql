-- Deletes acts of people from before a moment.
WITH old AS (
    SELECT owner_id, id FROM audit_entries WHERE at < :before LIMIT :most FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM audit_entries a USING old WHERE a.owner_id = old.owner_id AND a.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
