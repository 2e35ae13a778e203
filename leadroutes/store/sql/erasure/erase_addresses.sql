-- Deletes a contact's addresses.
WITH gone AS (
    DELETE FROM contact_addresses
    WHERE owner_id = :owner_id AND contact_id = :contact_id
    RETURNING 1
)
SELECT count(*) FROM gone
