-- Declines a membership request or an invitation by e-mail, unless it was accepted, and returns its id.
WITH member AS (
    UPDATE team_members SET request_status = 'Declined' WHERE id = :member_id AND request_status <> 'Accepted'
    RETURNING id
), invitation AS (
    UPDATE team_invitations SET request_status = 'Declined' WHERE id = :member_id RETURNING id
)
SELECT id FROM member UNION ALL SELECT id FROM invitation
