-- $1 id of a member or of an invitation by e-mail. Declined, unless it was accepted.
WITH member AS (
    UPDATE team_members SET request_status = 'Declined' WHERE id = $1 AND request_status <> 'Accepted' RETURNING id
), invitation AS (
    UPDATE team_invitations SET request_status = 'Declined' WHERE id = $1 RETURNING id
)
SELECT id FROM member UNION ALL SELECT id FROM invitation
