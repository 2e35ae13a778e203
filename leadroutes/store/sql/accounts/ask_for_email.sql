-- $1 user, whose row is locked and who has no other one, $2 new e-mail, $3 present one, $4 how long the link lasts, in real time.
INSERT INTO email_changes (user_id, email, old_email, expires_at) VALUES ($1, $2, $3, now() + $4::interval)
RETURNING id
