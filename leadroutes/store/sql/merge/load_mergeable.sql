-- Locks two contacts of an owner, in order, and returns their columns; fewer rows where one of them is no more.
SELECT * FROM contacts
WHERE owner_id = :owner_id AND id = ANY (ARRAY[:target_id, :merged_id]::bigint[])
ORDER BY id
FOR UPDATE
