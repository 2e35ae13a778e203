-- Adds a session and deletes those that have expired. :token_hash is a sha256; :lifetime is real time.
WITH ended AS (DELETE FROM sessions WHERE expires_at < now())
INSERT INTO sessions (token_hash, user_id, expires_at, browser, network)
VALUES (:token_hash, :user_id, now() + :lifetime::interval, :browser, :network)
