-- Puts a second factor into force and returns the user; nothing if it is in force, or its secret was replaced.
UPDATE second_factors SET confirmed_at = now(), last_step = :step
WHERE user_id = :user_id AND confirmed_at IS NULL AND secret = :secret
RETURNING user_id
