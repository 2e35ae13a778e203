-- Returns contacts whose phone fields contain these digits, however they are written, by id.
SELECT id, email, secondary_email, mobile_phone, home_phone, office_phone
FROM contacts
WHERE owner_id = :owner_id
    AND position(:value IN regexp_replace(concat_ws('/', mobile_phone, home_phone, office_phone),
                                          '[^0-9/]', '', 'g')) > 0
ORDER BY id
