-- Deletes the files of imports stored before a moment, except those that are under way.
WITH old AS (
    SELECT f.owner_id, f.import_id FROM import_files f
    JOIN imports i ON i.owner_id = f.owner_id AND i.id = f.import_id AND i.state NOT IN ('checking', 'importing')
    WHERE f.created_at < :before
    ORDER BY f.created_at LIMIT :most
    FOR UPDATE OF f SKIP LOCKED
), gone AS (
    DELETE FROM import_files f USING old WHERE f.owner_id = old.owner_id AND f.import_id = old.import_id
    RETURNING 1
)
SELECT count(*) FROM gone
