-- Returns the user who is signed in with a session token, while the session lasts and the account is active, and
-- whether its last use is to be noted. :token_hash is a sha256; :pause is real time.
SELECT u.id, display_name(u) AS name, u.timezone AS own_timezone, u.is_admin,
       s.last_used_at < now() - :pause::interval AS is_due
FROM sessions s
JOIN users u ON u.id = s.user_id
WHERE s.token_hash = :token_hash AND s.expires_at > now() AND u.is_active
