-- An e-mail or phone that identifies a contact is stored in that contact, however it is spelled there.
-- An e-mail may also come from an inquiry of the contact, when the contact has others, and both from a contact that was
-- merged into it.
SELECT known.owner_id, known.kind, known.contact_id
FROM contact_identities AS known
JOIN contacts ON contacts.owner_id = known.owner_id AND contacts.id = known.contact_id
WHERE NOT known.is_from_merge AND CASE known.kind
    WHEN 'email' THEN known.value ~ '^[ -~]+$'  -- the database folds no letter case beyond ASCII
        AND position(known.value IN lower(regexp_replace(  -- without what is invisible
            normalize(concat_ws(' ', contacts.email, contacts.secondary_email), NFC),
            '[^ -~]', '', 'g') COLLATE "C")) = 0
        AND NOT EXISTS (
            SELECT FROM leads l
            LEFT JOIN lead_events e ON e.owner_id = l.owner_id AND e.lead_id = l.id
                AND e.detail ->> 'email' = known.value
            WHERE l.owner_id = known.owner_id AND l.contact_id = known.contact_id
              AND (l.inquirer ->> 'email' = known.value OR e.id IS NOT NULL))
    ELSE NOT EXISTS (
        SELECT FROM unnest(ARRAY[contacts.mobile_phone, contacts.home_phone, contacts.office_phone]) AS phone
        WHERE position(right(regexp_replace(known.value, '\D', '', 'g'), 10)  -- fewer abroad, but digits only
                       IN regexp_replace(normalize(phone, NFKC), '\D', '', 'g')) > 0)
END
