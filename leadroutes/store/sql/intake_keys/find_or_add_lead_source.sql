-- Returns the lead source of this name, ignoring case, the common one before the owner's; adds one to the owner where
-- there is none.
WITH known AS (
    SELECT id FROM lead_sources
    WHERE (owner_id IS NULL OR owner_id = :owner_id) AND lower(name) = lower(:name COLLATE "C")
    ORDER BY owner_id NULLS FIRST, id
    LIMIT 1
), made AS (
    INSERT INTO lead_sources (owner_id, name) SELECT :owner_id, :name WHERE NOT EXISTS (SELECT FROM known) RETURNING id
)
SELECT id FROM known UNION ALL SELECT id FROM made
