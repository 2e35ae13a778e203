-- Returns a lead as conditions of routes ask for it; source_named is of the arrival that brought it.
SELECT l.created_at AS received_at, l.listing_price, l.zipcode, l.city, l.state, l.type, l.mls_id, l.listing_status,
       l.street_address, l.text_body, l.inquirer::text AS inquirer,
       (SELECT a.source_named FROM arrivals a WHERE a.owner_id = l.owner_id AND a.id = l.arrival_id) AS source_named
FROM leads l
WHERE l.owner_id = :owner_id AND l.id = :lead_id
