-- Returns those of these steps whose action has changed and has not been carried over to everyone yet, which do not
-- leave before that, and those whose campaign has been removed. The caller has locked the campaigns that there are, so
-- that no action changes.
-- planner: short array, per-row lookup
SELECT s.id FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS wanted (owner_id, id)
CROSS JOIN LATERAL (
    SELECT s.id, s.action_id, s.campaign_id FROM contact_communications s
    WHERE s.owner_id = wanted.owner_id AND s.id = wanted.id
    OFFSET 0) s
WHERE s.action_id = ANY (ARRAY(SELECT x.action_id FROM changed_actions x WHERE x.done_at IS NULL))
   OR s.campaign_id = ANY (ARRAY(SELECT x.id FROM removed_campaigns x))
