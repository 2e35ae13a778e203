-- Begins the check of an import, or the import, and returns what it was. has_begun is false where its state forbids
-- that, or its file is no longer stored.
WITH present AS (
    SELECT i.owner_id, i.id, i.state,
           EXISTS (SELECT FROM import_files f WHERE f.owner_id = i.owner_id AND f.import_id = i.id) AS has_file
    FROM imports i WHERE i.owner_id = :owner_id AND i.id = :import_id
    FOR NO KEY UPDATE
), begun AS (
    UPDATE imports i
    SET state = :state, started_at = :now, finished_at = NULL, rows_done = 0, result = NULL, reason = NULL
    FROM present p
    WHERE i.owner_id = p.owner_id AND i.id = p.id AND p.has_file AND p.state IN ('stored', 'checked', 'failed')
    RETURNING i.id
)
SELECT p.state, p.has_file, b.id IS NOT NULL AS has_begun FROM present p LEFT JOIN begun b ON true
