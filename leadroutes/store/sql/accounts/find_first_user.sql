-- Returns a row when there is any user.
SELECT true FROM users LIMIT 1
