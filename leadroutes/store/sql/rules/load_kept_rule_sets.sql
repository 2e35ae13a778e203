-- $1 owners, $2 numbers.
SELECT owner_id, number, rules::text AS rules
FROM unnest($1::bigint[], $2::bigint[]) AS wanted (owner_id, number)
CROSS JOIN LATERAL (
    SELECT rules FROM rule_sets kept WHERE kept.owner_id = wanted.owner_id AND kept.number = wanted.number OFFSET 0
) kept
