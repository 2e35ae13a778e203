-- $1 sha256 of an access token. The user behind it, as long as it is good; lives of tokens are real time.
SELECT a.user_id, a.scope, a.application_id, u.is_admin, u.is_broker
FROM access_tokens a
JOIN users u ON u.id = a.user_id AND u.is_active
WHERE a.token_hash = $1 AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now())
