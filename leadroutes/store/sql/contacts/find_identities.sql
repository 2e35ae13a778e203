-- Returns the contacts that these identities belong to, in the given order. A phone that came through an unproven key
-- does not identify a person.
SELECT known.kind, known.value, known.contact_id
FROM unnest(:kinds::text[], :values::text[]) WITH ORDINALITY AS wanted (kind, value, place)
JOIN contact_identities AS known
    ON known.owner_id = :owner_id AND known.kind = wanted.kind COLLATE "C" AND known.value = wanted.value COLLATE "C"
    AND (known.kind = 'email' OR known.is_proven)
ORDER BY wanted.place
