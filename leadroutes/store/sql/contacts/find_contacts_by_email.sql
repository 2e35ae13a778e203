-- $1 owner, $2 e-mail in small letters. Contacts that may have it, whatever stands around it, by id.
SELECT id, email, secondary_email, mobile_phone, home_phone, office_phone
FROM contacts
WHERE owner_id = $1 AND (position($2 IN lower(email)) > 0 OR position($2 IN lower(secondary_email)) > 0)
ORDER BY id
