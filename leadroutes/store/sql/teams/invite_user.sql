-- :owner_id owner, :team_id team, :user_id user, :request_status status, :is_sharing_accepted whether the sharing of the team is accepted. Whoever declined may be asked again;
-- nothing for one who is asked, or a member, already.
INSERT INTO team_members AS m (owner_id, team_id, user_id, request_status, is_sharing_accepted) VALUES (:owner_id, :team_id, :user_id, :request_status, :is_sharing_accepted)
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE
    SET request_status = excluded.request_status, is_sharing_accepted = excluded.is_sharing_accepted
    WHERE m.request_status = 'Declined'
RETURNING id
