-- $1 owner ids, $2 numbers, $3 rules, $4 now. Kept once; a snapshot never changes.
INSERT INTO rule_sets (owner_id, number, rules, created_at)
SELECT owner_id, number, rules::jsonb, $4 FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS t (owner_id, number, rules)
ON CONFLICT DO NOTHING
