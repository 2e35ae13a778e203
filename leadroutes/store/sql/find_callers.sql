-- $1 sha256s of access tokens. The users behind those that are good; lives of tokens are real time.
SELECT a.token_hash, a.user_id, a.scope, a.application_id, u.is_admin, u.is_broker
FROM access_tokens a
JOIN users u ON u.id = a.user_id AND u.is_active
WHERE a.token_hash = ANY($1::bytea[]) AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now())
