-- Deletes lead routes of an owner and returns how many there were.
WITH gone AS (
    DELETE FROM lead_routes WHERE owner_id = :owner_id AND id = ANY (:ids::bigint[])
    RETURNING 1
)
SELECT count(*) FROM gone
