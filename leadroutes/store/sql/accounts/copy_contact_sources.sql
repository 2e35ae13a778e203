-- :user_id who goes, :successor_id the successor, who gets the contact sources that routes and keys name, as far as there is none of that name.
INSERT INTO contact_sources (owner_id, name)
SELECT :successor_id, min(s.name)
FROM contact_sources s
WHERE s.owner_id = :user_id
  AND (s.id IN (SELECT contact_source_id FROM lead_routes WHERE owner_id = :user_id)
       OR s.id IN (SELECT contact_source_id FROM intake_keys WHERE owner_id = :user_id))
  AND NOT EXISTS (SELECT FROM contact_sources k WHERE k.owner_id = :successor_id AND lower(k.name) = lower(s.name))
GROUP BY lower(s.name)
