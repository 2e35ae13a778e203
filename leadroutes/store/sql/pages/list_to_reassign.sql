-- Lists members of the user's teams whose accounts are closed, and how many of the user's contacts and open tasks are
-- still assigned to them, counted up to 1,001.
SELECT display_name(u) AS name, found.contacts, found.tasks
FROM users u
CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM (
                SELECT FROM contacts c WHERE c.assigned_user_id = u.id AND c.owner_id = :user_id
                LIMIT 1001) x) AS contacts,
           (SELECT count(*) FROM (
                SELECT FROM tasks t
                WHERE t.assigned_user_id = u.id AND t.owner_id = :user_id AND t.status = 'incomplete'
                LIMIT 1001) x) AS tasks
) found
WHERE NOT u.is_active AND u.id IN (SELECT t.teammate_id FROM teammates t WHERE t.user_id = :user_id)
  AND found.contacts + found.tasks > 0
ORDER BY u.id
LIMIT 50
