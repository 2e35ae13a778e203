-- Returns what tells where a contact may be: zipcodes and states of addresses, and zipcodes of the latest inquiries.
SELECT ARRAY(SELECT a.zip FROM contact_addresses a
             WHERE a.owner_id = :owner_id AND a.contact_id = :contact_id AND a.zip IS NOT NULL
             ORDER BY a.id LIMIT 20) AS address_zipcodes,
       ARRAY(SELECT a.state FROM contact_addresses a
             WHERE a.owner_id = :owner_id AND a.contact_id = :contact_id AND a.state IS NOT NULL
             ORDER BY a.id LIMIT 20) AS address_states,
       ARRAY(SELECT l.zipcode FROM leads l
             WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id AND l.zipcode IS NOT NULL
             ORDER BY l.id DESC LIMIT 10) AS inquiry_zipcodes
