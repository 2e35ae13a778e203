-- Deletes a session of a user by its id, and returns the id.
DELETE FROM sessions WHERE id = :session_id AND user_id = :user_id RETURNING id
