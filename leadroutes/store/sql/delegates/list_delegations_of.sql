-- Lists the accounts that a user acts for: owner_id, owner_name, role, team_id, in the order of the owners' names.
SELECT d.owner_id, display_name(o) AS owner_name, d.role, d.team_id
FROM delegates d JOIN users o ON o.id = d.owner_id AND o.is_active
WHERE d.user_id = :user_id AND d.accepted_at IS NOT NULL
ORDER BY owner_name, d.owner_id
