-- Returns a member or an invitation by e-mail, with its team and the team's creator; or a delegate, with the role and
-- the owner. Of a member the role is null, of an administrator the team.
SELECT p.owner_id, p.id, p.team_id, p.user_id, p.email, p.request_status, t.name AS team_name,
       t.is_contact_resource_sharing_enabled AS is_sharing, display_name(o) AS inviter_name, o.email AS inviter_email,
       NULL AS role
FROM team_places p
JOIN teams t ON t.owner_id = p.owner_id AND t.id = p.team_id
JOIN users o ON o.id = p.owner_id
WHERE p.id = :member_id
UNION ALL
SELECT d.owner_id, d.id, d.team_id, d.user_id, d.email, delegate_status(d), t.name, false, display_name(o), o.email,
       d.role
FROM delegates d
LEFT JOIN teams t ON t.owner_id = d.owner_id AND t.id = d.team_id
JOIN users o ON o.id = d.owner_id
WHERE d.id = :member_id
