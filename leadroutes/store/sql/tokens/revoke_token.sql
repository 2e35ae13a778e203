-- Revokes a valid access token, given by id or by sha256, and returns its id. :token_id may be null.
UPDATE access_tokens SET revoked_at = now()
WHERE (id = :token_id OR token_hash = :token_hash) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING id
