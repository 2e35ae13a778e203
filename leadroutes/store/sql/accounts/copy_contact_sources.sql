-- $1 who goes, $2 the successor, who gets the contact sources that routes and keys name, as far as there is none of that name.
INSERT INTO contact_sources (owner_id, name)
SELECT $2, min(s.name)
FROM contact_sources s
WHERE s.owner_id = $1
  AND (s.id IN (SELECT contact_source_id FROM lead_routes WHERE owner_id = $1)
       OR s.id IN (SELECT contact_source_id FROM intake_keys WHERE owner_id = $1))
  AND NOT EXISTS (SELECT FROM contact_sources k WHERE k.owner_id = $2 AND lower(k.name) = lower(s.name))
GROUP BY lower(s.name)
