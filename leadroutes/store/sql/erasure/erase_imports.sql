-- Deletes the files of an owner's imports and what quotes them, as any of them may name the contact.
WITH gone AS (
    DELETE FROM import_files WHERE owner_id = :owner_id
    RETURNING 1
)
SELECT count(*) FROM gone
