-- Sets whether an intake key, given by id or by sha256, is known to its sender alone, and returns its id. :key_id may
-- be null.
UPDATE intake_keys SET is_private = :is_private WHERE (id = :key_id OR key_hash = :key_hash) AND revoked_at IS NULL
RETURNING id
