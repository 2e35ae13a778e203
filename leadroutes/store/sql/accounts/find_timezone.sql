-- Returns the time zone of a user.
SELECT timezone FROM users WHERE id = :user_id
