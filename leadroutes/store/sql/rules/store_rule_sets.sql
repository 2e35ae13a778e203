-- Stores rule sets; one that is stored never changes.
INSERT INTO rule_sets (owner_id, number, rules, created_at)
SELECT owner_id, number, rules::jsonb, :now
FROM unnest(:owner_ids::bigint[], :numbers::bigint[], :rules::text[]) AS t (owner_id, number, rules)
ON CONFLICT DO NOTHING
