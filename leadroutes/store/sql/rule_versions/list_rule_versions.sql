-- Lists versions of an owner's rules, newest first, with their changes, of each at most :most_changes.
SELECT v.number, v.at, v.user_id, v.previous, c.kind, c.record_id, c.before::text AS before, c.after::text AS after
FROM (
    SELECT w.number, w.at, w.user_id, coalesce((
        SELECT p.number FROM rule_versions p WHERE p.owner_id = w.owner_id AND p.number < w.number
        ORDER BY p.number DESC LIMIT 1), 0) AS previous
    FROM (
        SELECT * FROM rule_versions WHERE owner_id = :owner_id ORDER BY number DESC LIMIT :most OFFSET :skip
    ) w
) v
LEFT JOIN LATERAL (
    SELECT * FROM rule_changes x
    WHERE x.owner_id = :owner_id AND x.number > v.previous AND x.number <= v.number
    ORDER BY x.number, x.id LIMIT :most_changes
) c ON true
ORDER BY v.number DESC, c.number, c.id
