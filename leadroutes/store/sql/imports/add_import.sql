-- Stores an import with its file, and returns the id.
WITH import AS (
    INSERT INTO imports (owner_id, file_name, rows_total, created_at)
    VALUES (:owner_id, :file_name, :rows, :now)
    RETURNING owner_id, id
), file AS (
    INSERT INTO import_files (owner_id, import_id, content, headings, created_at)
    SELECT owner_id, id, :content, :headings::jsonb, :now FROM import
)
SELECT id FROM import
