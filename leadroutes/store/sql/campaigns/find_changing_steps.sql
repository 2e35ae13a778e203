-- Returns those of these steps whose action has changed and has not been carried over to everyone yet. They do not
-- leave before that. The caller has locked their campaigns, so that no action changes.
-- planner: short array, per-row lookup
SELECT s.id FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS wanted (owner_id, id)
CROSS JOIN LATERAL (
    SELECT s.id, s.action_id FROM contact_communications s
    WHERE s.owner_id = wanted.owner_id AND s.id = wanted.id
    OFFSET 0) s
WHERE (SELECT true FROM changed_actions x WHERE x.done_at IS NULL LIMIT 1)
  AND s.action_id = ANY (ARRAY(SELECT x.action_id FROM changed_actions x WHERE x.done_at IS NULL))
