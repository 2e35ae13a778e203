-- id (or null), key_hash, sealed secrets (null: none)
UPDATE intake_keys SET secrets = $3 WHERE (id = $1 OR key_hash = $2) AND revoked_at IS NULL RETURNING id
