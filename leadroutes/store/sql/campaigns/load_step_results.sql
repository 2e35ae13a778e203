-- Returns how many messages to an owner's contacts count as each figure, by step of a campaign and template; 0 as the
-- template: it is not known.
-- planner: per-row lookup
SELECT a.id AS action_id, k.template_id, k.figure, sum(k.number)::bigint AS number
FROM campaign_actions a
CROSS JOIN LATERAL (
    SELECT r.template_id, r.figure, r.number FROM step_results r
    WHERE r.owner_id = :owner_id AND r.action_id = a.id
    UNION ALL
    SELECT r.template_id, r.figure, r.number FROM step_result_changes r
    WHERE r.owner_id = :owner_id AND r.action_id = a.id
    OFFSET 0
) k
WHERE a.campaign_id = :campaign_id
GROUP BY a.id, k.template_id, k.figure
HAVING sum(k.number) <> 0
