-- Returns the format of a valid intake key, given by id or by sha256. :key_id may be null.
SELECT format FROM intake_keys WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL
