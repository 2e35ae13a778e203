-- client_id
DELETE FROM applications WHERE client_id = :client_id RETURNING id
