-- Lists a user's open offers, newest first, with no more about the lead than the alert contains.
SELECT o.id, o.notified_at, l.created_at,
       coalesce(l.inquirer ->> 'first_name', c.first_name) AS first_name, l.city, l.type, l.listing_price,
       s.name AS source
FROM offers o
JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
WHERE o.user_id = :user_id AND o.state = 'notified'
ORDER BY l.id DESC
LIMIT 50
