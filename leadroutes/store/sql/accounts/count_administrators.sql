-- Returns whether a user is an active administrator, and how many others there are.
SELECT coalesce(bool_or(id = :user_id), false) AS is_one, count(*) FILTER (WHERE id <> :user_id) AS others
FROM users WHERE is_admin AND is_active
