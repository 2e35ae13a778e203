-- Returns the link that sets a password, with its user, and whether it is open, used or expired. :token_hash is the
-- sha256 of its token.
SELECT l.user_id, l.purpose, u.email, u.first_name, u.last_name, display_name(u) AS name,
       CASE WHEN l.used_at IS NOT NULL THEN 'used' WHEN l.expires_at <= now() THEN 'expired' ELSE 'open' END AS state
FROM password_links l JOIN users u ON u.id = l.user_id AND u.is_active
WHERE l.token_hash = :token_hash
