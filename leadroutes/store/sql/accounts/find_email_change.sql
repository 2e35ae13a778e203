-- :token_hash sha256 of the token in the link. The e-mail that it makes a user's, while it lasts.
SELECT c.id, c.email, display_name(u) AS name
FROM email_changes c JOIN users u ON u.id = c.user_id AND u.is_active
WHERE c.token_hash = :token_hash AND c.expires_at > now()
