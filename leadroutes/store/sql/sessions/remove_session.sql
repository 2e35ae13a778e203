-- Deletes a session. :token_hash is a sha256.
DELETE FROM sessions WHERE token_hash = :token_hash
