-- Removes a user's second factor with its recovery codes and trusted browsers, and returns the user.
WITH trusted AS (
    DELETE FROM trusted_browsers WHERE user_id = :user_id
)
DELETE FROM second_factors WHERE user_id = :user_id RETURNING user_id
