-- Deletes templates of an owner and returns how many there were.
WITH gone AS (
    DELETE FROM templates WHERE owner_id = :owner_id AND id = ANY (:ids::bigint[])
    RETURNING 1
)
SELECT count(*) FROM gone
