-- user_id, password_hash
UPDATE users SET password_hash = :password_hash WHERE id = :user_id
