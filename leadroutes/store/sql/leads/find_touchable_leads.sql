-- $1 owner ids, $2 contact ids, $3 since when. Leads that a new inquiry may be a touch of, latest first.
SELECT l.owner_id, l.contact_id, l.id, l.mls_id, l.street_address, l.zipcode, l.touched_at, l.intake_key_id
FROM unnest($1::bigint[], $2::bigint[]) AS w (owner_id, contact_id)
JOIN leads l USING (owner_id, contact_id)
WHERE l.touched_at >= $3 AND NOT l.is_imported
ORDER BY l.touched_at DESC, l.id DESC
