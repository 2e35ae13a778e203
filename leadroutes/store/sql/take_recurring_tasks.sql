-- $1 now, $2 how many, $3 tasks that are not to be taken. Tasks whose successor has to be made, locked.
SELECT t.owner_id, t.id, t.recurs_at AS due_at, a.recurrence, coalesce(c.time_zone, u.timezone) AS timezone,
       r.created_at AS started_at, r.ended_at
FROM tasks t
JOIN users u ON u.id = t.owner_id
LEFT JOIN contacts c ON c.owner_id = t.contact_owner_id AND c.id = t.contact_id
LEFT JOIN campaign_contacts r ON r.owner_id = t.owner_id AND r.id = t.campaign_contact_id
LEFT JOIN campaigns g ON g.id = r.campaign_id
LEFT JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = t.campaign_action_id
WHERE t.recurs_at <= $1 AND t.id <> ALL ($3::bigint[])
ORDER BY t.recurs_at
LIMIT $2
FOR NO KEY UPDATE OF t SKIP LOCKED
