-- user_id, password_hash
WITH signed_out AS (DELETE FROM sessions WHERE user_id = $1)
UPDATE users SET password_hash = $2 WHERE id = $1
