-- :owner_id owner, :contact_id contact, :now now. What would recognise him. Whoever asks with the same address again is somebody new.
WITH gone AS (
    DELETE FROM contact_identities WHERE owner_id = :owner_id AND contact_id = :contact_id AND :now::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
