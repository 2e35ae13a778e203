-- Marks calls that ring for offers which are closed by now, and returns them. The lists say whose offers of which
-- leads.
-- planner: per-row lookup
WITH ringing AS (
    SELECT c.owner_id, c.id
    FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[], :user_ids::bigint[]) AS x (owner_id, lead_id, user_id)
    CROSS JOIN LATERAL (
        SELECT c.owner_id, c.id FROM calls c
        WHERE c.owner_id = x.owner_id AND c.lead_id = x.lead_id AND c.user_id = x.user_id
          AND c.answered_at IS NULL AND c.ended_at IS NULL AND c.unwanted_at IS NULL OFFSET 0) c
)
UPDATE calls c SET unwanted_at = :now FROM ringing r WHERE c.owner_id = r.owner_id AND c.id = r.id
RETURNING c.owner_id, c.id
