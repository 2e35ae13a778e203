-- id (or null), key_hash
SELECT format FROM intake_keys WHERE (id = $1 OR key_hash = $2) AND revoked_at IS NULL
