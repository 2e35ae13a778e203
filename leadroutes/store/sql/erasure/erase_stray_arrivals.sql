-- $1 owner, $2 arrivals. What came in without becoming a lead, and names him.
WITH key AS (
    DELETE FROM idempotency_keys WHERE owner_id = $1 AND arrival_id = ANY ($2::bigint[])
), gone AS (
    UPDATE arrivals
    SET body = '', headers = '{}', proof = NULL, reason = 'the contact was erased', source_named = NULL, emptied_at = now()
    WHERE owner_id = $1 AND id = ANY ($2::bigint[]) AND lead_id IS NULL
    RETURNING 1
)
SELECT count(*) FROM gone
