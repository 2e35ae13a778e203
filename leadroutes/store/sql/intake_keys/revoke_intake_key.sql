-- Revokes an intake key, given by id or by sha256, and returns its id. :key_id may be null.
UPDATE intake_keys SET revoked_at = :now WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL
RETURNING id
