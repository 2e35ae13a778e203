-- Lists an owner's valid intake keys, latest first.
SELECT k.id, s.name AS lead_source, k.format
FROM intake_keys k
JOIN lead_sources s ON s.id = k.lead_source_id
WHERE k.owner_id = :owner_id AND k.revoked_at IS NULL
ORDER BY k.id DESC
