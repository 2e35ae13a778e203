-- Counts the contacts and open tasks assigned to a user, per owner.
SELECT u.id AS owner_id, u.email AS owner_email, sum(given.contacts)::bigint AS contacts,
       sum(given.tasks)::bigint AS tasks
FROM (
    SELECT owner_id, count(*) AS contacts, 0 AS tasks FROM contacts WHERE assigned_user_id = :user_id GROUP BY owner_id
    UNION ALL
    SELECT owner_id, 0, count(*) FROM tasks WHERE assigned_user_id = :user_id AND status = 'incomplete'
    GROUP BY owner_id
) given
JOIN users u ON u.id = given.owner_id
GROUP BY u.id
ORDER BY u.id
