-- $1 owner, $2 contact. What tells his time zone: zipcodes of addresses, then of inquiries, latest first; phones.
SELECT c.time_zone, c.mobile_phone, c.home_phone, c.office_phone,
       ARRAY(SELECT a.zip FROM contact_addresses a
             WHERE a.owner_id = $1 AND a.contact_id = $2 AND a.zip IS NOT NULL ORDER BY a.id)
       || ARRAY(SELECT l.zipcode FROM leads l
                WHERE l.owner_id = $1 AND l.contact_id = $2 AND l.zipcode IS NOT NULL ORDER BY l.id DESC LIMIT 10)
       AS zipcodes
FROM contacts c
WHERE c.owner_id = $1 AND c.id = $2
