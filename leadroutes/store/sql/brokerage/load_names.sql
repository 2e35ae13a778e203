-- Returns the ids of an account's objects of one kind, by name.
SELECT name, id
FROM (
    SELECT 'lead_sources' AS kind, name, id, owner_id FROM lead_sources WHERE owner_id IS NULL OR owner_id = :owner_id
    UNION ALL SELECT 'contact_sources', name, id, owner_id FROM contact_sources WHERE owner_id = :owner_id
    UNION ALL SELECT 'teams', name, id, owner_id FROM teams WHERE owner_id = :owner_id
    UNION ALL SELECT 'template_folders', name, id, owner_id FROM template_folders WHERE owner_id = :owner_id
    UNION ALL SELECT 'templates', description, id, owner_id FROM templates
    WHERE owner_id = :owner_id AND description IS NOT NULL
    UNION ALL SELECT 'campaigns', name, id, owner_id FROM campaigns WHERE owner_id = :owner_id
) AS named
WHERE kind = :kind
ORDER BY owner_id NULLS FIRST, id
