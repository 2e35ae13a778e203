-- :owner_ids owners, :numbers numbers.
SELECT owner_id, number, rules::text AS rules
FROM unnest(:owner_ids::bigint[], :numbers::bigint[]) AS wanted (owner_id, number)
CROSS JOIN LATERAL (
    SELECT rules FROM rule_sets kept WHERE kept.owner_id = wanted.owner_id AND kept.number = wanted.number OFFSET 0
) kept
