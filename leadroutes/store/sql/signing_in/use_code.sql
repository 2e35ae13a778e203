-- Notes the time step of a right code and returns the user; nothing if this or a later step was used before.
UPDATE second_factors SET last_step = :step
WHERE user_id = :user_id AND confirmed_at IS NOT NULL AND coalesce(last_step, -1) < :step
RETURNING user_id
