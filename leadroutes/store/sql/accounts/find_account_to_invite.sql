-- Locks the account with this e-mail (in lower case), and returns whether it has a password.
SELECT id, is_active, password_hash IS NOT NULL AS has_password FROM users WHERE lower(email) = :email
FOR NO KEY UPDATE
