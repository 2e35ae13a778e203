-- :token_hash sha256 of the token. Who is signed in with it, while it lasts and the account is active.
SELECT u.id, display_name(u) AS name, u.timezone, u.is_admin
FROM sessions s
JOIN users u ON u.id = s.user_id
WHERE s.token_hash = :token_hash AND s.expires_at > now() AND u.is_active
