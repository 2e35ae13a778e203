-- $1 user, $2 how many. The leads that he may claim or has, of every owner, latest first.
SELECT l.id, l.created_at, l.type, l.city, l.zipcode, l.listing_price, s.name AS source, c.first_name, c.last_name,
       coalesce(k.user_id = $1, false) AS is_won
FROM (
    SELECT owner_id, lead_id FROM offers WHERE user_id = $1 AND state = 'notified'
    UNION
    SELECT owner_id, lead_id FROM claims WHERE user_id = $1
) mine
JOIN leads l ON l.owner_id = mine.owner_id AND l.id = mine.lead_id
JOIN contacts c ON c.owner_id = l.owner_id AND c.id = l.contact_id
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN claims k ON k.owner_id = l.owner_id AND k.lead_id = l.id
ORDER BY is_won, l.id DESC
LIMIT $2
