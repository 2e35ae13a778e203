-- Stores a new secret that is not confirmed yet, and returns the user's e-mail; nothing for a user who
-- has a second factor.
INSERT INTO second_factors AS f (user_id, secret) VALUES (:user_id, :secret)
ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = now() WHERE f.confirmed_at IS NULL
RETURNING (SELECT u.email FROM users u WHERE u.id = f.user_id)
