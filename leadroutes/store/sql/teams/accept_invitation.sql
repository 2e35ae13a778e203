-- :member_id invitation by e-mail, :user_id user, :is_sharing_accepted whether the sharing of the team is accepted. The invitation becomes the member, and
-- keeps its id; so does one who was a member, or was asked in another way, before.
WITH invitation AS (
    DELETE FROM team_invitations WHERE id = :member_id RETURNING owner_id, id, team_id
)
INSERT INTO team_members AS m (owner_id, id, team_id, user_id, request_status, is_sharing_accepted)
SELECT owner_id, id, team_id, :user_id, 'Accepted', :is_sharing_accepted FROM invitation
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE
    SET id = excluded.id, request_status = 'Accepted', is_sharing_accepted = excluded.is_sharing_accepted
