-- $1 sha256 of the token.
DELETE FROM sessions WHERE token_hash = $1
