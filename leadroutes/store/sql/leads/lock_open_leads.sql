-- :owner_ids owner ids, :lead_ids lead ids. Locks those of these leads that nobody has claimed; those that somebody else holds are passed
-- over. A claim is looked up lead by lead, whatever the planner believes of the table.
SELECT l.owner_id, l.id
FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[]) AS wanted (owner_id, id)
JOIN leads l USING (owner_id, id)
WHERE (SELECT c.user_id FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id) IS NULL
FOR NO KEY UPDATE OF l SKIP LOCKED
