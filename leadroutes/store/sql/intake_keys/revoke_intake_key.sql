-- id (or null), key_hash, now
UPDATE intake_keys SET revoked_at = :now WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL RETURNING id
