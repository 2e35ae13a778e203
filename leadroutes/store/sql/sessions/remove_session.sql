-- Deletes a session and returns its user. :token_hash is a sha256.
DELETE FROM sessions WHERE token_hash = :token_hash RETURNING user_id
