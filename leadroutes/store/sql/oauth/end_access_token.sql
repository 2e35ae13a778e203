-- Revokes an access token.
UPDATE access_tokens SET revoked_at = now() WHERE id = :token_id AND revoked_at IS NULL
