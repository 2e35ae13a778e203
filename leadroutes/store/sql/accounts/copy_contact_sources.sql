-- Copies the contact sources that the leaving user's routes and intake keys name to the successor, except those of a
-- name that the successor has.
INSERT INTO contact_sources (owner_id, name)
SELECT :successor_id, min(s.name)
FROM contact_sources s
WHERE s.owner_id = :user_id
  AND (s.id IN (SELECT contact_source_id FROM lead_routes WHERE owner_id = :user_id)
       OR s.id IN (SELECT contact_source_id FROM intake_keys WHERE owner_id = :user_id))
  AND NOT EXISTS (SELECT FROM contact_sources k WHERE k.owner_id = :successor_id AND lower(k.name) = lower(s.name))
GROUP BY lower(s.name)
