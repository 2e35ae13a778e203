-- Deletes a contact's identities. An inquiry with the same address makes a new contact from then on.
WITH gone AS (
    DELETE FROM contact_identities
    WHERE owner_id = :owner_id AND contact_id = :contact_id
    RETURNING 1
)
SELECT count(*) FROM gone
