-- Adds a user to a team and returns the member's id; nothing when the user is a member or has a pending request. A
-- declined request is renewed.
INSERT INTO team_members AS m (owner_id, team_id, user_id, request_status, is_sharing_accepted)
VALUES (:owner_id, :team_id, :user_id, :request_status, :is_sharing_accepted)
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE
    SET request_status = excluded.request_status, is_sharing_accepted = excluded.is_sharing_accepted
    WHERE m.request_status = 'Declined'
RETURNING id
