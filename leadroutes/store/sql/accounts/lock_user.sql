-- user_id
SELECT FROM users WHERE id = :user_id FOR UPDATE
