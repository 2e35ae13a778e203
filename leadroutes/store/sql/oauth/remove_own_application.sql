-- Deletes an application that the user has registered, and returns its id.
DELETE FROM applications WHERE user_id = :user_id AND client_id = :client_id RETURNING id
