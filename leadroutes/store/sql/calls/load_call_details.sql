-- Returns what the winner of a lead hears, and by which terms they may be connected to the person: phones in the order
-- in which they are tried, zipcodes and states of addresses, zipcodes of inquiries.
SELECT l.inquirer::text AS inquirer, p.first_name, p.last_name, p.email, l.street_address, l.city,
       p.mobile_phone, p.home_phone, p.office_phone,
       ARRAY(SELECT a.zip FROM contact_addresses a
             WHERE a.owner_id = p.owner_id AND a.contact_id = p.id AND a.zip IS NOT NULL
             ORDER BY a.id LIMIT 20) AS address_zipcodes,
       ARRAY(SELECT a.state FROM contact_addresses a
             WHERE a.owner_id = p.owner_id AND a.contact_id = p.id AND a.state IS NOT NULL
             ORDER BY a.id LIMIT 20) AS address_states,
       ARRAY(SELECT i.zipcode FROM leads i
             WHERE i.owner_id = p.owner_id AND i.contact_id = p.id AND i.zipcode IS NOT NULL
             ORDER BY i.id DESC LIMIT 10)
           AS inquiry_zipcodes,
       coalesce(t.connect_on_claim, false) AS connect_on_claim,
       agent.system_phone AS agent_phone, owner.system_phone AS owner_phone
FROM leads l
JOIN contacts p ON p.owner_id = l.owner_id AND p.id = l.contact_id
JOIN users agent ON agent.id = :user_id
JOIN users owner ON owner.id = l.owner_id
LEFT JOIN offers o ON o.owner_id = l.owner_id AND o.lead_id = l.id AND o.user_id = agent.id
LEFT JOIN teams t ON t.owner_id = o.owner_id AND t.id = o.team_id
WHERE l.owner_id = :owner_id AND l.id = :lead_id
