-- Adds template folders from a brokerage file and returns how many were new.
WITH added AS (
    INSERT INTO template_folders (owner_id, name, description)
    SELECT :owner_id, given.name, given.description
    FROM jsonb_to_recordset(:records) AS given (name text, description text)
    WHERE NOT EXISTS (
        SELECT FROM template_folders AS known WHERE known.owner_id = :owner_id AND known.name = given.name COLLATE "C"
    )
    RETURNING id
)
SELECT count(*) FROM added
