-- Empties arrivals that became no lead and name the contact.
WITH key AS (
    DELETE FROM idempotency_keys WHERE owner_id = :owner_id AND arrival_id = ANY (:arrival_ids::bigint[])
), gone AS (
    UPDATE arrivals
    SET body = '', headers = '{}', proof = NULL, correction = NULL, correction_format = NULL,
        correction_type = NULL, source_named = NULL,
        reason = 'the contact was erased', emptied_at = now()
    WHERE owner_id = :owner_id AND id = ANY (:arrival_ids::bigint[]) AND lead_id IS NULL
    RETURNING 1
)
SELECT count(*) FROM gone
