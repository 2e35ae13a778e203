-- Lists all users.
SELECT id, email, first_name, last_name, timezone, is_admin, is_broker, is_active FROM users ORDER BY id
