-- Uses up a link that sets a password, in time, and returns its user. :token_hash is the sha256 of its token.
UPDATE password_links l SET used_at = now() FROM users u
WHERE l.token_hash = :token_hash AND l.used_at IS NULL AND l.expires_at > now() AND u.id = l.user_id AND u.is_active
RETURNING l.user_id
