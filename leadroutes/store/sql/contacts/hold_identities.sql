-- :owner_id owner, :contact_id contact, :kinds kinds, :values values. Whoever has one already keeps it.
INSERT INTO contact_identities (owner_id, kind, value, contact_id)
SELECT :owner_id, kind, value, :contact_id FROM unnest(:kinds::text[], :values::text[]) AS held (kind, value)
ON CONFLICT DO NOTHING
