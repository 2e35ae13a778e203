-- :owner_id owner, :value e-mail in small letters. Contacts that may have it, whatever stands around it, by id.
SELECT id, email, secondary_email, mobile_phone, home_phone, office_phone
FROM contacts
WHERE owner_id = :owner_id AND (position(:value IN lower(email)) > 0 OR position(:value IN lower(secondary_email)) > 0)
ORDER BY id
