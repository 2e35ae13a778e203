-- owner_id, key_hash, lead_source_id, contact_source_id, format, now, sealed secrets
INSERT INTO intake_keys (owner_id, key_hash, lead_source_id, contact_source_id, format, created_at, secrets)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id
