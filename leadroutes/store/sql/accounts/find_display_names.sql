-- Returns the display names of users.
SELECT id, display_name(users) AS name FROM users WHERE id = ANY (:user_ids::bigint[])
