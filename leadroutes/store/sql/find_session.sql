-- $1 sha256 of the session's token. Who is signed in with it.
SELECT u.id, display_name(u) AS name, u.email, u.timezone
FROM sessions s
JOIN users u ON u.id = s.user_id
WHERE s.token_hash = $1 AND s.expires_at > now() AND u.is_active
