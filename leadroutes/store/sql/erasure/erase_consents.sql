-- Deletes what is recorded of the consents of a contact.
WITH gone AS (
    DELETE FROM consents WHERE owner_id = :owner_id AND contact_id = :contact_id RETURNING 1
)
SELECT count(*) FROM gone
