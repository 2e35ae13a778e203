-- Prolongs an open invitation and ends the link that was sent; returns its user.
UPDATE password_links SET token_hash = NULL, expires_at = now() + :lifetime::interval
WHERE id = :password_link_id AND purpose = 'invitation' AND used_at IS NULL
RETURNING user_id
