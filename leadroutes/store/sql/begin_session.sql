-- $1 sha256 of the session's token, $2 user, $3 how long it lives. Sessions that are over go when one begins.
WITH over AS (
    DELETE FROM sessions WHERE user_id = $2 AND expires_at <= now()
)
INSERT INTO sessions (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3::interval)
