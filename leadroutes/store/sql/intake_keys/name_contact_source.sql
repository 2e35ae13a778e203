-- owner_id, name
WITH known AS (
    SELECT id FROM contact_sources WHERE owner_id = $1 AND lower(name) = lower($2 COLLATE "C") ORDER BY id LIMIT 1
), made AS (
    INSERT INTO contact_sources (owner_id, name) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM known) RETURNING id
)
SELECT id FROM known UNION ALL SELECT id FROM made
