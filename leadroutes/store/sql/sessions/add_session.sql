-- $1 sha256 of the token, $2 user, $3 how long it lasts, in real time. What has ended goes at the same time.
WITH ended AS (DELETE FROM sessions WHERE expires_at < now())
INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3::interval)
