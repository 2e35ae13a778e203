-- user_id
SELECT FROM users WHERE id = $1 FOR UPDATE
