-- Locks the campaigns of steps that are being looked at: whoever changes a window waits until what it holds is stored,
-- and what waits is looked at again after that.
SELECT g.id FROM campaigns g
WHERE g.id = ANY (ARRAY(
    SELECT s.campaign_id FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS wanted (owner_id, id)
    CROSS JOIN LATERAL (
        SELECT s.campaign_id FROM contact_communications s
        WHERE s.owner_id = wanted.owner_id AND s.id = wanted.id
        OFFSET 0) s))
ORDER BY g.id
FOR SHARE
