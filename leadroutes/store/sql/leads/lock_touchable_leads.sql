-- Locks the leads that inquiries of these contacts may touch, and these leads, in the order of their ids, as every
-- change of a lead does. The parameters but :touched_since are lists: of contacts, and of leads.
SELECT l.id FROM leads l
WHERE (l.owner_id, l.id) IN (
    SELECT t.owner_id, t.id
    FROM unnest(:contact_owner_ids::bigint[], :contact_ids::bigint[]) AS w (owner_id, contact_id)
    JOIN leads t USING (owner_id, contact_id)
    WHERE t.touched_at >= :touched_since AND NOT t.is_imported
    UNION ALL
    SELECT * FROM unnest(:lead_owner_ids::bigint[], :lead_ids::bigint[]))
ORDER BY l.id
FOR NO KEY UPDATE
