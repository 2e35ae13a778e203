-- Removes the picture of a user, and its address.
WITH gone AS (
    DELETE FROM pictures WHERE user_id = :user_id
)
UPDATE users SET profile_picture = NULL, modified_at = :now WHERE id = :user_id AND profile_picture IS NOT NULL
