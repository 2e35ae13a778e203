-- Returns the active user with this e-mail (in lower case).
SELECT id FROM users WHERE lower(email) = :email AND is_active
