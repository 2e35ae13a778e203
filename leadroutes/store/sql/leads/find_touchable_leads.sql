-- Returns the leads of these contacts that a new inquiry may touch, latest first.
-- planner: per-row lookup
SELECT l.owner_id, l.contact_id, l.id, l.mls_id, l.street_address, l.zipcode, l.touched_at, l.intake_key_id
FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]) AS w (owner_id, contact_id)
CROSS JOIN LATERAL (
    SELECT * FROM leads l
    WHERE l.owner_id = w.owner_id AND l.contact_id = w.contact_id AND l.touched_at >= :touched_since
      AND NOT l.is_imported OFFSET 0) l
ORDER BY l.touched_at DESC, l.id DESC
