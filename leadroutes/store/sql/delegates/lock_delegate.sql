-- Locks a delegate and returns owner_id and user_id, if the user was invited, by id or by their own e-mail, or has the
-- link that was sent to an e-mail.
SELECT d.owner_id, d.user_id FROM delegates d
WHERE d.id = :delegate_id
  AND (d.user_id = :user_id OR d.user_id IS NULL
       AND (:has_link OR lower(d.email) = (SELECT lower(u.email) FROM users u WHERE u.id = :user_id)))
FOR UPDATE OF d
