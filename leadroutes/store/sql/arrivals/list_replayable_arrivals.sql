-- Lists arrivals of these statuses whose bodies are still stored, in the order received. :owner_id null means all
-- owners.
SELECT owner_id, id FROM arrivals
WHERE status = ANY (:statuses::text[]) AND received_at >= :since AND emptied_at IS NULL
  AND (:owner_id::bigint IS NULL OR owner_id = :owner_id)
ORDER BY received_at, id
