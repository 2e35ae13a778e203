-- Returns the user with this e-mail (in lower case), whether the account is active or not.
SELECT id FROM users WHERE lower(email) = :email
