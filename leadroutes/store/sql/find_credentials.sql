-- $1 e-mail in lower case. Who may sign in with it, and against what his password is checked.
SELECT id, password_hash FROM users WHERE lower(email) = $1 AND is_active
