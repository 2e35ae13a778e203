-- $1 owner, $2 contact, $3 kinds, $4 values. Whoever has one already keeps it.
INSERT INTO contact_identities (owner_id, kind, value, contact_id)
SELECT $1, kind, value, $2 FROM unnest($3::text[], $4::text[]) AS held (kind, value)
ON CONFLICT DO NOTHING
