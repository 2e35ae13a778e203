-- Locks a user's row for changes that no foreign key refers to, and returns what changes depend on.
SELECT email, is_active FROM users WHERE id = :user_id FOR NO KEY UPDATE
