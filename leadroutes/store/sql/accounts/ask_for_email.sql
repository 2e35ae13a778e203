-- :user_id user, whose row is locked and who has no other one, :email new e-mail, :old_email present one, :lifetime how long the link lasts, in real time.
INSERT INTO email_changes (user_id, email, old_email, expires_at) VALUES (:user_id, :email, :old_email, now() + :lifetime::interval)
RETURNING id
