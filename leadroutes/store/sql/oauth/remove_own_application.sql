-- :user_id user, :client_id client_id
DELETE FROM applications WHERE user_id = :user_id AND client_id = :client_id RETURNING id
