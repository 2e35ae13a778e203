-- Returns the active user with this e-mail (in lower case) and the password hash, which is null when the account has no
-- password.
SELECT id, password_hash FROM users WHERE lower(email) = :email AND is_active
