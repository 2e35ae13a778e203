-- Deletes members who were not in the line-up of a lead before a moment.
WITH old AS (
    SELECT owner_id, id FROM left_out_members WHERE at < :before ORDER BY at LIMIT :most
    FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM left_out_members m USING old WHERE m.owner_id = old.owner_id AND m.id = old.id RETURNING 1
)
SELECT count(*) FROM gone
