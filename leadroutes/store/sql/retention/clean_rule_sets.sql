-- Deletes past rule sets that decided no lead, among the next :most after the given key. A rule set is past an hour
-- after the next one was stored (:superseded_before): by then every decision that began with it has ended.
WITH looked AS (
    SELECT owner_id, number, created_at FROM rule_sets
    WHERE (owner_id, number) > (:after_owner_id, :after_number)
    ORDER BY owner_id, number LIMIT :most
), past AS (
    SELECT r.owner_id, r.number FROM rule_sets r, looked
    WHERE r.owner_id = looked.owner_id AND r.number = looked.number AND looked.created_at < :before
      AND EXISTS (SELECT FROM rule_sets newer WHERE newer.owner_id = looked.owner_id AND newer.number > looked.number
                  AND newer.created_at < :superseded_before::timestamptz)
      AND NOT EXISTS (SELECT FROM leads l WHERE l.owner_id = looked.owner_id AND l.rule_set = looked.number)
    FOR UPDATE OF r SKIP LOCKED
), gone AS (
    DELETE FROM rule_sets r USING past WHERE r.owner_id = past.owner_id AND r.number = past.number
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS gone, count(*) AS looked,
       (array_agg(owner_id ORDER BY owner_id DESC, number DESC))[1] AS owner_id,
       (array_agg(number ORDER BY owner_id DESC, number DESC))[1] AS number
FROM looked
