-- $1 user, $2 id of a personal token of his
UPDATE access_tokens SET revoked_at = now()
WHERE user_id = $1 AND id = $2 AND application_id IS NULL AND revoked_at IS NULL RETURNING id
