-- user_id, password_hash
UPDATE users SET password_hash = $2 WHERE id = $1
