-- Closes the account of a user.
UPDATE users SET is_active = false, modified_at = :now WHERE id = :user_id
