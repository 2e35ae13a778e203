-- Returns what a contact's time zone is derived from: zip codes of addresses, then those of inquiries, latest first,
-- and phones.
SELECT c.time_zone, c.mobile_phone, c.home_phone, c.office_phone,
       ARRAY(SELECT a.zip FROM contact_addresses a
             WHERE a.owner_id = :owner_id AND a.contact_id = :contact_id AND a.zip IS NOT NULL ORDER BY a.id)
       || ARRAY(SELECT l.zipcode FROM leads l
                WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id AND l.zipcode IS NOT NULL
                ORDER BY l.id DESC LIMIT 10)
       AS zipcodes
FROM contacts c
WHERE c.owner_id = :owner_id AND c.id = :contact_id
