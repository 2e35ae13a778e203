SELECT email FROM users WHERE is_active AND is_admin ORDER BY id LIMIT 2
