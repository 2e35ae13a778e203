-- Lists a user's pending invitations and the teams that share contacts and wait for the user's consent, oldest first.
SELECT p.id, p.request_status, t.name AS team_name, t.is_contact_resource_sharing_enabled AS is_sharing,
       display_name(o) AS inviter_name
FROM team_places p
JOIN teams t ON t.owner_id = p.owner_id AND t.id = p.team_id
JOIN users o ON o.id = p.owner_id AND o.is_active
WHERE (p.user_id = :user_id OR lower(p.email) = (SELECT lower(u.email) FROM users u WHERE u.id = :user_id))
  AND (p.request_status = 'Pending'
       OR p.request_status = 'Accepted' AND t.is_contact_resource_sharing_enabled AND NOT p.is_sharing_accepted)
ORDER BY p.id
LIMIT 50
