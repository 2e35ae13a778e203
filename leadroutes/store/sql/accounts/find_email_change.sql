-- Returns the requested e-mail change that a link belongs to, until the link expires. :token_hash is the sha256 of its
-- token.
SELECT c.id, c.email, display_name(u) AS name
FROM email_changes c JOIN users u ON u.id = c.user_id AND u.is_active
WHERE c.token_hash = :token_hash AND c.expires_at > now()
