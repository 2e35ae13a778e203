-- Adds identities of a contact; one that another contact has stays there.
INSERT INTO contact_identities (owner_id, kind, value, contact_id)
SELECT :owner_id, kind, value, :contact_id FROM unnest(:kinds::text[], :values::text[]) AS gained (kind, value)
ON CONFLICT DO NOTHING
