-- Lists all valid intake keys.
SELECT intake_keys.id, users.email, lead_sources.name AS lead_source, contact_sources.name AS contact_source,
       intake_keys.format, intake_keys.secrets IS NOT NULL AS has_secrets,
       is_known_to_its_sender_alone(intake_keys) AS is_private, intake_keys.created_at, intake_keys.last_used_at
FROM intake_keys
JOIN users ON users.id = intake_keys.owner_id
JOIN lead_sources ON lead_sources.id = intake_keys.lead_source_id
LEFT JOIN contact_sources
    ON contact_sources.owner_id = intake_keys.owner_id AND contact_sources.id = intake_keys.contact_source_id
WHERE intake_keys.revoked_at IS NULL
ORDER BY intake_keys.id
