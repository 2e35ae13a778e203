-- Deletes the values of a contact's custom fields.
WITH gone AS (
    DELETE FROM custom_field_values
    WHERE owner_id = :owner_id AND contact_id = :contact_id
    RETURNING 1
)
SELECT count(*) FROM gone
