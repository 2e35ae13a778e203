-- Returns the owner's contact source of this name, ignoring case; adds it where there is none.
WITH known AS (
    SELECT id FROM contact_sources WHERE owner_id = :owner_id AND lower(name) = lower(:name COLLATE "C")
    ORDER BY id LIMIT 1
), made AS (
    INSERT INTO contact_sources (owner_id, name) SELECT :owner_id, :name WHERE NOT EXISTS (SELECT FROM known)
    RETURNING id
)
SELECT id FROM known UNION ALL SELECT id FROM made
