-- Returns the e-mails of active administrators, two at most: one row means that there is exactly one.
SELECT email FROM users WHERE is_active AND is_admin ORDER BY id LIMIT 2
