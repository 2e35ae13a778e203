-- Returns the campaigns that these leads have started, also those that have ended since. :owner_ids and :lead_ids are
-- lists of equal length.
-- planner: per-row lookup
SELECT r.owner_id, r.lead_id, r.campaign_id
FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[]) AS x (owner_id, lead_id)
CROSS JOIN LATERAL (
    SELECT r.owner_id, r.lead_id, r.campaign_id FROM campaign_contacts r
    WHERE r.owner_id = x.owner_id AND r.lead_id = x.lead_id
    OFFSET 0) r
