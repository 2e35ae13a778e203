-- Returns contacts whose e-mail fields contain this address (in lower case), by id.
SELECT id, email, secondary_email, mobile_phone, home_phone, office_phone
FROM contacts
WHERE owner_id = :owner_id AND (position(:value IN lower(email)) > 0 OR position(:value IN lower(secondary_email)) > 0)
ORDER BY id
