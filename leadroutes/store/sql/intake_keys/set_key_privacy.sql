-- id (or null), key_hash, whether the sender alone knows it
UPDATE intake_keys SET is_private = $3 WHERE (id = $1 OR key_hash = $2) AND revoked_at IS NULL RETURNING id
