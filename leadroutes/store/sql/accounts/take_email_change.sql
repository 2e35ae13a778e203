-- Deletes a requested e-mail change that its link confirms in time, and returns it, if the account is active.
-- :token_hash is the sha256 of the link's token.
DELETE FROM email_changes c USING users u
WHERE u.id = c.user_id AND u.is_active AND c.token_hash = :token_hash AND c.expires_at > now()
RETURNING c.user_id, c.email
