-- $1 owner, $2 digits of a phone number. Contacts that may have it, however it is written, by id.
SELECT id, email, secondary_email, mobile_phone, home_phone, office_phone
FROM contacts
WHERE owner_id = $1
    AND position($2 IN regexp_replace(concat_ws('/', mobile_phone, home_phone, office_phone), '[^0-9/]', '', 'g')) > 0
ORDER BY id
