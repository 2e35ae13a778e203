-- Lists a user's pending invitations and the teams that share contacts and wait for the user's consent, oldest first.
-- The role is null but of an invitation to act for the inviter, whose team is null unless it is for that team alone.
SELECT p.id, p.request_status, t.name AS team_name, t.is_contact_resource_sharing_enabled AS is_sharing,
       display_name(o) AS inviter_name, NULL AS role
FROM team_places p
JOIN teams t ON t.owner_id = p.owner_id AND t.id = p.team_id
JOIN users o ON o.id = p.owner_id AND o.is_active
WHERE (p.user_id = :person_id OR lower(p.email) = (SELECT lower(u.email) FROM users u WHERE u.id = :person_id))
  AND (p.request_status = 'Pending'
       OR p.request_status = 'Accepted' AND t.is_contact_resource_sharing_enabled AND NOT p.is_sharing_accepted)
UNION ALL
SELECT d.id, 'Pending', t.name, false, display_name(o), d.role
FROM delegates d
LEFT JOIN teams t ON t.owner_id = d.owner_id AND t.id = d.team_id
JOIN users o ON o.id = d.owner_id AND o.is_active
WHERE (d.user_id = :person_id OR lower(d.email) = (SELECT lower(u.email) FROM users u WHERE u.id = :person_id))
  AND delegate_status(d) = 'Pending'
ORDER BY id
LIMIT 50
