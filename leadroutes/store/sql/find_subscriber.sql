-- $1 owner, $2 contact. Whose campaign mails these are, and whether they have been stopped.
SELECT c.email, display_name(u) AS owner_name, c.unsubscribed_at
FROM contacts c
JOIN users u ON u.id = c.owner_id
WHERE c.owner_id = $1 AND c.id = $2
