-- Locks a user's second factor that is in force, and returns whose it is.
SELECT user_id FROM second_factors WHERE user_id = :user_id AND confirmed_at IS NOT NULL FOR UPDATE
