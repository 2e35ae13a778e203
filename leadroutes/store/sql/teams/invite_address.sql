-- $1 owner, $2 team, $3 e-mail. As invite_user; nothing for one of a member, too: members see each other's e-mails.
INSERT INTO team_invitations AS i (owner_id, team_id, email)
SELECT $1, $2, $3
WHERE NOT EXISTS (
    SELECT FROM team_members m JOIN users u ON u.id = m.user_id
    WHERE m.owner_id = $1 AND m.team_id = $2 AND m.request_status = 'Accepted' AND lower(u.email) = lower($3))
ON CONFLICT (owner_id, team_id, lower(email)) DO UPDATE SET request_status = 'Pending' WHERE i.request_status = 'Declined'
RETURNING id
