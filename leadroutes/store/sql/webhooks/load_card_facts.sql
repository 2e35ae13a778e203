-- Returns what a card for a chat may say of a lead or of a contact: first name, town, type, price, source, and whether
-- it is a test; and the name of a user. Each of the three may be null.
SELECT coalesce(l.inquirer ->> 'first_name', c.first_name) AS first_name, l.city AS town, l.type,
       l.listing_price AS price, s.name AS source, coalesce(l.is_test, false) AS is_test, display_name(u) AS user_name
FROM (SELECT :owner_id::bigint AS owner_id) w
LEFT JOIN leads l ON l.owner_id = w.owner_id AND l.id = :lead_id::bigint
LEFT JOIN contacts c ON c.owner_id = w.owner_id AND c.id = coalesce(l.contact_id, :contact_id::bigint)
LEFT JOIN lead_sources s ON s.id = l.source_id
LEFT JOIN users u ON u.id = :user_id::bigint
