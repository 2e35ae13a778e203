-- $1 owner, $2 lead, $3 user. Who has the lead, where that is somebody else and this user had been notified of it.
SELECT c.user_id AS claimed_by_user_id, c.claimed_at, display_name(u) AS name
FROM claims c
JOIN users u ON u.id = c.user_id
JOIN offers o ON o.owner_id = c.owner_id AND o.lead_id = c.lead_id AND o.user_id = $3 AND o.notified_at IS NOT NULL
WHERE c.owner_id = $1 AND c.lead_id = $2 AND c.user_id <> $3
