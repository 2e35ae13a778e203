-- :owner_id owner, :contact_id contact, :now now. Where he lives.
WITH gone AS (
    DELETE FROM contact_addresses WHERE owner_id = :owner_id AND contact_id = :contact_id AND :now::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
