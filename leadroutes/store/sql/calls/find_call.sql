-- Returns a call by the hash of its secret, with the offer that it is about and what an agent may hear of the lead;
-- nothing once the account is closed, or the member has left the team.
SELECT c.owner_id, c.lead_id, c.user_id, c.number, c.provider_id, m.kind, m.offer_id, l.contact_id,
       o.state AS offer_state, k.user_id AS claimed_by_user_id, display_name(w) AS claimed_by_name,
       l.is_test, ls.name AS source, coalesce(l.inquirer ->> 'first_name', p.first_name) AS first_name, l.city, l.type,
       l.listing_price
FROM calls c
JOIN messages m ON m.owner_id = c.owner_id AND m.id = c.message_id
JOIN users u ON u.id = c.user_id AND u.is_active
JOIN leads l ON l.owner_id = c.owner_id AND l.id = c.lead_id
JOIN contacts p ON p.owner_id = l.owner_id AND p.id = l.contact_id
LEFT JOIN offers o ON o.owner_id = m.owner_id AND o.id = m.offer_id
LEFT JOIN lead_sources ls ON ls.id = l.source_id
LEFT JOIN claims k ON k.owner_id = c.owner_id AND k.lead_id = c.lead_id
LEFT JOIN users w ON w.id = k.user_id
WHERE c.token_hash = :token_hash AND o.state IS DISTINCT FROM 'withdrawn'
