-- Returns the leads of these contacts that a new inquiry may touch, latest first.
SELECT l.owner_id, l.contact_id, l.id, l.mls_id, l.street_address, l.zipcode, l.touched_at, l.intake_key_id
FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]) AS w (owner_id, contact_id)
JOIN leads l USING (owner_id, contact_id)
WHERE l.touched_at >= :touched_since AND NOT l.is_imported
ORDER BY l.touched_at DESC, l.id DESC
