-- id (or null), token_hash
UPDATE access_tokens SET revoked_at = now()
WHERE (id = :token_id OR token_hash = :token_hash) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING id
