-- Lists the leads of an owner that members want to pass on, with who to whom: the owner has not answered yet.
SELECT h.lead_id, display_name(f) AS from_name, display_name(t) AS to_name
FROM handovers h
JOIN users f ON f.id = h.from_user_id
JOIN users t ON t.id = h.to_user_id
WHERE h.owner_id = :owner_id AND h.state = 'asked'
ORDER BY h.lead_id
LIMIT 20
