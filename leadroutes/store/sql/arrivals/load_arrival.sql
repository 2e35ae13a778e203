-- Returns a stored arrival with the intake key that it came with.
SELECT a.intake_key_id, a.lead_source_id, k.contact_source_id, k.format AS key_format, a.headers::text AS headers,
       a.body, a.status, a.reason, a.format, a.proof, a.emptied_at, k.secrets,
       a.correction, a.correction_format, a.correction_type,
       coalesce(is_known_to_its_sender_alone(k), false) AS is_private
FROM arrivals a
LEFT JOIN intake_keys k ON k.owner_id = a.owner_id AND k.id = a.intake_key_id
WHERE a.owner_id = :owner_id AND a.id = :arrival_id
