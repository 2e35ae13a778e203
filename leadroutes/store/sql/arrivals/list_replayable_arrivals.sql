-- $1 statuses, $2 since when, $3 owner or null. Oldest first, as they came.
SELECT owner_id, id FROM arrivals
WHERE status = ANY ($1::text[]) AND received_at >= $2 AND emptied_at IS NULL AND ($3::bigint IS NULL OR owner_id = $3)
ORDER BY received_at, id
