-- $1 user, $2 client_id
DELETE FROM applications WHERE user_id = $1 AND client_id = $2 RETURNING id
