-- For pgbench: the user of an access token, as every request of the API asks.
SELECT a.user_id, a.scope, a.application_id, u.is_admin, u.is_broker
FROM access_tokens a JOIN users u ON u.id = a.user_id AND u.is_active
WHERE a.token_hash = $1 AND a.revoked_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > now())
