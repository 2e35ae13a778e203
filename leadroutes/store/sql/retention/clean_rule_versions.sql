-- Deletes the oldest versions of rules, up to :most, with what they changed. The last one of an owner stays.
WITH past AS (
    SELECT v.owner_id, v.number FROM rule_versions v
    WHERE v.at < :before
      AND EXISTS (SELECT FROM rule_versions n WHERE n.owner_id = v.owner_id AND n.number > v.number)
    ORDER BY v.at LIMIT :most
    FOR UPDATE OF v SKIP LOCKED
), changes AS (
    DELETE FROM rule_changes c
    USING (SELECT owner_id, max(number) AS number FROM past GROUP BY owner_id) p
    WHERE c.owner_id = p.owner_id AND c.number <= p.number
), gone AS (
    DELETE FROM rule_versions v USING past p WHERE v.owner_id = p.owner_id AND v.number = p.number
    RETURNING 1
)
SELECT count(*) FROM gone
