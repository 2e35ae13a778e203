-- Locks those of these leads that are not claimed, and skips those that are locked.
-- planner: scalar lookup
SELECT l.owner_id, l.id
FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[]) AS wanted (owner_id, id)
JOIN leads l USING (owner_id, id)
WHERE (SELECT c.user_id FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id) IS NULL
FOR NO KEY UPDATE OF l SKIP LOCKED
