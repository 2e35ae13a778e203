-- $1 owner ids, $2 contact ids. Two inquiries of one known person are sorted one after the other.
SELECT c.id FROM contacts c
WHERE (c.owner_id, c.id) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))
ORDER BY c.id
FOR NO KEY UPDATE
