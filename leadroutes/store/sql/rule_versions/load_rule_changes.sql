-- Returns every record that changed after the version :after, up to :until (null: now): the row as it was before, and
-- as it is after.
SELECT kind, record_id, (array_agg(before::text ORDER BY number, id))[1] AS before,
       (array_agg(after::text ORDER BY number DESC, id DESC))[1] AS after
FROM rule_changes
WHERE owner_id = :owner_id AND number > :after AND (:until::bigint IS NULL OR number <= :until::bigint)
GROUP BY kind, record_id
ORDER BY kind, record_id
