-- Invites an e-mail address to a team and returns the invitation's id, like invite_user. Returns nothing for a member's
-- address either: members see each other's e-mails.
INSERT INTO team_invitations AS i (owner_id, team_id, email)
SELECT :owner_id, :team_id, :email
WHERE NOT EXISTS (
    SELECT FROM team_members m JOIN users u ON u.id = m.user_id
    WHERE m.owner_id = :owner_id AND m.team_id = :team_id AND m.request_status = 'Accepted'
      AND lower(u.email) = lower(:email))
ON CONFLICT (owner_id, team_id, lower(email)) DO UPDATE SET request_status = 'Pending'
WHERE i.request_status = 'Declined'
RETURNING id
