-- Returns the lead sources that an owner has routes for, with their names.
SELECT s.id, s.name FROM (
    SELECT DISTINCT r.lead_source_id AS id FROM lead_routes r WHERE r.owner_id = :owner_id
) used
JOIN lead_sources s ON s.id = used.id
ORDER BY s.id
