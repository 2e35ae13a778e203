-- Locks contacts that are to get texts, so that texts to one contact are counted one after the other, and returns them;
-- those for which another worker does so are left out.
-- planner: per-row lookup
SELECT c.owner_id, c.id FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]) AS wanted (owner_id, id)
CROSS JOIN LATERAL (
    SELECT c.owner_id, c.id FROM contacts c
    WHERE c.owner_id = wanted.owner_id AND c.id = wanted.id
    OFFSET 0
    FOR NO KEY UPDATE SKIP LOCKED) c
