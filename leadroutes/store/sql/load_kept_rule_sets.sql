-- $1 owners, $2 numbers.
SELECT owner_id, number, rules::text AS rules
FROM rule_sets JOIN unnest($1::bigint[], $2::bigint[]) AS wanted (owner_id, number) USING (owner_id, number)
