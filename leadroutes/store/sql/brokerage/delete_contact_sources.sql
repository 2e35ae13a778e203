-- Deletes contact sources of an owner and returns how many there were.
WITH gone AS (
    DELETE FROM contact_sources WHERE owner_id = :owner_id AND id = ANY (:ids::bigint[])
    RETURNING 1
)
SELECT count(*) FROM gone
