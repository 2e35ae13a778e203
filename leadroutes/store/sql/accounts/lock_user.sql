-- Locks a user's row.
SELECT FROM users WHERE id = :user_id FOR UPDATE
