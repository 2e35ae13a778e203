-- Adds lead sources from a brokerage file and returns how many were new.
WITH added AS (
    INSERT INTO lead_sources (owner_id, name)
    SELECT :owner_id, given.name FROM jsonb_to_recordset(:records) AS given (name text)
    WHERE NOT EXISTS (
        SELECT FROM lead_sources AS known
        WHERE (known.owner_id IS NULL OR known.owner_id = :owner_id) AND known.name = given.name COLLATE "C"
    )
    RETURNING id
)
SELECT count(*) FROM added
