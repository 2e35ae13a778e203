-- Revokes one of a user's personal tokens and returns its id.
UPDATE access_tokens SET revoked_at = now()
WHERE user_id = :user_id AND id = :token_id AND application_id IS NULL AND revoked_at IS NULL RETURNING id
