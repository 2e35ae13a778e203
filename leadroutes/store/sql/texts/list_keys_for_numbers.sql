-- Lists intake keys, each with the user who has it and the name of its lead source.
SELECT k.id, k.owner_id, display_name(u) AS owner_name, s.name AS source
FROM intake_keys k
JOIN users u ON u.id = k.owner_id AND u.is_active
JOIN lead_sources s ON s.id = k.lead_source_id
WHERE k.revoked_at IS NULL
ORDER BY k.owner_id, k.id LIMIT :most
