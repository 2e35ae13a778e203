-- Returns the names and addresses of a user.
SELECT first_name, last_name, email, phone FROM users WHERE id = :user_id
