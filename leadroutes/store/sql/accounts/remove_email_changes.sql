-- Deletes the requests to change a user's e-mail.
DELETE FROM email_changes WHERE user_id = :user_id
