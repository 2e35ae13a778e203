-- Adds a code for the page that makes the first administrator, while there is no user, and returns its expiry.
-- :code_hash is a sha256; :lifetime is real time.
INSERT INTO setup_codes (code_hash, expires_at) SELECT :code_hash, now() + :lifetime::interval
WHERE NOT EXISTS (SELECT FROM users)
RETURNING expires_at
