-- Deletes a user to whom no lead was ever offered or given. Returns the id, or no row.
DELETE FROM users u
WHERE u.id = :user_id
  AND NOT EXISTS (SELECT FROM offers o WHERE o.user_id = u.id)
  AND NOT EXISTS (SELECT FROM claims c WHERE c.user_id = u.id)
RETURNING u.id
