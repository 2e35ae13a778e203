-- Adds templates from a brokerage file and returns how many were new.
WITH added AS (
    INSERT INTO templates (owner_id, template_folder_id, body, subject, description, template_type, created_at,
                           modified_at)
    SELECT :owner_id, given.folder_id, given.body, given.subject, given.description, given.template_type,
           given.created_at, given.created_at
    FROM jsonb_to_recordset(:records) AS given (
        folder_id bigint, body text, subject text, description text, template_type text, created_at timestamptz
    )
    WHERE NOT EXISTS (
        SELECT FROM templates AS known
        WHERE known.owner_id = :owner_id AND known.description = given.description COLLATE "C"
    )
    RETURNING id
)
SELECT count(*) FROM added
