-- $1 owner, $2 contact, $3 now. What would recognise him. Whoever asks with the same address again is somebody new.
WITH gone AS (
    DELETE FROM contact_identities WHERE owner_id = $1 AND contact_id = $2 AND $3::timestamptz IS NOT NULL RETURNING 1
)
SELECT count(*) FROM gone
