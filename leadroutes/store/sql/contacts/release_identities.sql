-- Deletes identities of a contact and returns those that it had.
DELETE FROM contact_identities i
USING unnest(:kinds::text[], :values::text[]) AS lost (kind, value)
WHERE i.owner_id = :owner_id AND i.contact_id = :contact_id AND i.kind = lost.kind AND i.value = lost.value
RETURNING i.kind, i.value
