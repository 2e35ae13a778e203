-- email, in lower case
SELECT id FROM users WHERE lower(email) = $1 AND is_active
