-- An e-mail or phone that identifies a contact stands in that contact.
SELECT known.owner_id, known.kind, known.contact_id
FROM contact_identities AS known
JOIN contacts ON contacts.owner_id = known.owner_id AND contacts.id = known.contact_id
WHERE CASE known.kind
    WHEN 'email' THEN known.value NOT IN (
        lower(btrim(coalesce(contacts.email, ''))), lower(btrim(coalesce(contacts.secondary_email, ''))))
    ELSE NOT EXISTS (
        SELECT FROM unnest(ARRAY[contacts.mobile_phone, contacts.home_phone, contacts.office_phone]) AS phone
        WHERE position(right(known.value, 10) IN regexp_replace(phone, '\D', '', 'g')) > 0)
END
