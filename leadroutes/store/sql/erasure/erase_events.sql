-- Deletes a contact's events, such as texts and visits of web sites, with the properties that were viewed.
WITH gone AS (
    DELETE FROM events WHERE owner_id = :owner_id AND contact_id = :contact_id
    RETURNING 1
)
SELECT count(*) FROM gone
