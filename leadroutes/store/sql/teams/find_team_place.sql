-- Returns a member or an invitation by e-mail, with its team and the team's creator.
SELECT p.owner_id, p.id, p.team_id, p.user_id, p.email, p.request_status, t.name AS team_name,
       t.is_contact_resource_sharing_enabled AS is_sharing, display_name(o) AS inviter_name, o.email AS inviter_email
FROM team_places p
JOIN teams t ON t.owner_id = p.owner_id AND t.id = p.team_id
JOIN users o ON o.id = p.owner_id
WHERE p.id = :member_id
