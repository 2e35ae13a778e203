-- Returns stored rule sets by owner and number.
-- planner: per-row lookup
SELECT owner_id, number, rules
FROM unnest(:owner_ids::bigint[], :numbers::bigint[]) AS wanted (owner_id, number)
CROSS JOIN LATERAL (
    SELECT coalesce(r.rules_text, r.rules::text) AS rules
    FROM rule_sets r WHERE r.owner_id = wanted.owner_id AND r.number = wanted.number OFFSET 0
) stored
