-- Lists the ids of all that an owner has set up, by kind.
SELECT 'lead_routes' AS kind, coalesce(array_agg(id), '{}') AS ids FROM lead_routes WHERE owner_id = :owner_id
UNION ALL
SELECT 'campaigns' AS kind, coalesce(array_agg(id), '{}') AS ids FROM campaigns WHERE owner_id = :owner_id
UNION ALL
SELECT 'templates' AS kind, coalesce(array_agg(id), '{}') AS ids FROM templates WHERE owner_id = :owner_id
UNION ALL
SELECT 'template_folders' AS kind, coalesce(array_agg(id), '{}') AS ids FROM template_folders WHERE owner_id = :owner_id
UNION ALL
SELECT 'teams' AS kind, coalesce(array_agg(id), '{}') AS ids FROM teams WHERE owner_id = :owner_id
UNION ALL
SELECT 'contact_sources' AS kind, coalesce(array_agg(id), '{}') AS ids FROM contact_sources WHERE owner_id = :owner_id
