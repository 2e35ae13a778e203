-- id (or null), key_hash, sealed secrets (null: none)
UPDATE intake_keys SET secrets = :secrets WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL RETURNING id
