-- :token_hash sha256 of the token, :user_id user, :lifetime how long it lasts, in real time. What has ended goes at the same time.
WITH ended AS (DELETE FROM sessions WHERE expires_at < now())
INSERT INTO sessions (token_hash, user_id, expires_at) VALUES (:token_hash, :user_id, now() + :lifetime::interval)
