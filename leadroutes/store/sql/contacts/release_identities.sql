-- $1 owner, $2 contact, $3 kinds, $4 values. Answers those that it did have.
DELETE FROM contact_identities i
USING unnest($3::text[], $4::text[]) AS lost (kind, value)
WHERE i.owner_id = $1 AND i.contact_id = $2 AND i.kind = lost.kind AND i.value = lost.value
RETURNING i.kind, i.value
