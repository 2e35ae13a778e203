-- Adds a browser that is not asked for the second factor. :token_hash is a sha256; :lifetime is real time.
INSERT INTO trusted_browsers (user_id, token_hash, browser, network, expires_at)
VALUES (:user_id, :token_hash, :browser, :network, now() + :lifetime::interval)
