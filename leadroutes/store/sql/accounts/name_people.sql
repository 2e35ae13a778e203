-- $1 users.
SELECT id, display_name(users) AS name FROM users WHERE id = ANY ($1::bigint[])
