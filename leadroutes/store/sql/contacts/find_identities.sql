-- owner_id; kinds and values of identities. A phone that nobody has proved is not enough to tell a person by.
SELECT known.kind, known.value, known.contact_id
FROM unnest(:kinds::text[], :values::text[]) WITH ORDINALITY AS wanted (kind, value, place)
JOIN contact_identities AS known
    ON known.owner_id = :owner_id AND known.kind = wanted.kind COLLATE "C" AND known.value = wanted.value COLLATE "C"
    AND (known.kind = 'email' OR known.is_proven)
ORDER BY wanted.place
