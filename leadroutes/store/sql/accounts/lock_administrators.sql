-- Locks all administrators, in the order of their ids.
SELECT FROM users WHERE is_admin ORDER BY id FOR NO KEY UPDATE
