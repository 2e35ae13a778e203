-- $1 owner, $2 communication, $3 now, $4 who did it.
SELECT end_steps(ARRAY(SELECT id FROM contact_communications WHERE owner_id = $1 AND id = $2), $3, $4, 'it was stopped')
