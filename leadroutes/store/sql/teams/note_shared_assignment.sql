-- $1 owner, $2 contact, $3 user whom it was assigned to, $4 user who did it. Kept where the two who share are behind it.
INSERT INTO shared_assignments (owner_id, contact_id, user_id, by_user_id)
SELECT $1, $2, $3, $4
WHERE EXISTS (SELECT FROM sharing_teammates t WHERE t.user_id = $1 AND t.teammate_id = $4)
