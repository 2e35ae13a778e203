-- id (or null), key_hash, now
UPDATE intake_keys SET revoked_at = $3 WHERE (id = $1 OR key_hash = $2) AND revoked_at IS NULL RETURNING id
