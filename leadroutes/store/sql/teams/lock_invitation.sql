-- Locks an invitation by e-mail and returns it, if it was sent to the user's own address, or the user has its link.
SELECT i.id FROM team_invitations i
WHERE i.id = :member_id
  AND (:has_link OR lower(i.email) = (SELECT lower(u.email) FROM users u WHERE u.id = :user_id))
FOR UPDATE OF i
