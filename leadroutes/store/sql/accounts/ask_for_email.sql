-- Adds a request to change a user's e-mail and returns its id. The caller holds the user's row and has removed earlier
-- requests; :lifetime is real time.
INSERT INTO email_changes (user_id, email, old_email, expires_at)
VALUES (:user_id, :email, :old_email, now() + :lifetime::interval)
RETURNING id
