-- :owner_id owner, :contact_id contact, :now now. What the owner noted in fields of his own.
WITH gone AS (
    DELETE FROM custom_field_values WHERE owner_id = :owner_id AND contact_id = :contact_id AND :now::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
