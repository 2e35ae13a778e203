-- Has campaign steps looked at again later, and says why, and by which version of the rules.
UPDATE contact_communications s
SET waits_until = x.until, waits_rule = x.rule, waits_text = x.words, held_by = :version
FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[], :moments::timestamptz[], :rules::text[], :texts::text[])
    AS x (owner_id, id, until, rule, words)
WHERE s.owner_id = x.owner_id AND s.id = x.id
