-- owner_id, key_hash, lead_source_id, contact_source_id, format, now
INSERT INTO intake_keys (owner_id, key_hash, lead_source_id, contact_source_id, format, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
