-- $1 owner, $2 team, $3 user, $4 status, $5 whether the sharing of the team is accepted. Whoever declined may be asked again;
-- nothing for one who is asked, or a member, already.
INSERT INTO team_members AS m (owner_id, team_id, user_id, request_status, is_sharing_accepted) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE
    SET request_status = excluded.request_status, is_sharing_accepted = excluded.is_sharing_accepted
    WHERE m.request_status = 'Declined'
RETURNING id
