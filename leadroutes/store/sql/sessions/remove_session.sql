-- :token_hash sha256 of the token.
DELETE FROM sessions WHERE token_hash = :token_hash
