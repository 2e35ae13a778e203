-- Deletes an application, with all its grants and tokens, and returns its id.
DELETE FROM applications WHERE client_id = :client_id RETURNING id
