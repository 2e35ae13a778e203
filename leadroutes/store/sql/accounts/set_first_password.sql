-- Sets the password of an active account that has none, and returns its id.
UPDATE users SET password_hash = :password_hash, modified_at = :now,
       first_name = coalesce(:first_name, first_name), last_name = coalesce(:last_name, last_name)
WHERE id = :user_id AND password_hash IS NULL AND is_active
RETURNING id
