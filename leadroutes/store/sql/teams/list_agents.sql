-- Lists the accepted members of an owner's teams, each once, by name.
SELECT u.id, display_name(u) AS name, u.email
FROM users u
WHERE u.id = ANY (ARRAY(SELECT m.user_id FROM team_members m
                        WHERE m.owner_id = :owner_id AND m.request_status = 'Accepted'))
ORDER BY name, u.id
