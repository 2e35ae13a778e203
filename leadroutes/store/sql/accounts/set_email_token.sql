-- Sets the token of a requested e-mail change that has not expired, and returns its id. :token_hash is a sha256.
UPDATE email_changes SET token_hash = :token_hash WHERE id = :email_change_id AND expires_at > now() RETURNING id
