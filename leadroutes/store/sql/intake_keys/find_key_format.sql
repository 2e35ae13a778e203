-- id (or null), key_hash
SELECT format FROM intake_keys WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL
