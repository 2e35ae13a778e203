-- Sets the sealed secrets of an intake key, given by id or by sha256, and returns its id. :key_id and :secrets may be
-- null.
UPDATE intake_keys SET secrets = :secrets WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL
RETURNING id
