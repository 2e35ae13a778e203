-- id (or null), key_hash, whether the sender alone knows it
UPDATE intake_keys SET is_private = :is_private WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL RETURNING id
