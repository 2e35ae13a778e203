-- Sets the token of a link that sets a password, while the link is good, and returns its id. :token_hash is a sha256.
UPDATE password_links SET token_hash = :token_hash
WHERE id = :password_link_id AND used_at IS NULL AND expires_at > now() RETURNING id
