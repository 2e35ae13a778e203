-- Deletes what requests of the provider were answered with about a contact.
WITH gone AS (
    UPDATE provider_requests SET answer = NULL
    WHERE owner_id = :owner_id AND contact_id = :contact_id AND answer IS NOT NULL
    RETURNING 1
)
SELECT count(*) FROM gone
