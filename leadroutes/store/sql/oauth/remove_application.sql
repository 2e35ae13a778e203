-- client_id
DELETE FROM applications WHERE client_id = $1 RETURNING id
