-- id (or null), token_hash
UPDATE access_tokens SET revoked_at = now()
WHERE (id = $1 OR token_hash = $2) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING id
