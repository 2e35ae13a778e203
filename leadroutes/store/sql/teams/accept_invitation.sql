-- Turns an invitation sent to an address into a member, who keeps the invitation's id. An existing membership of the
-- user is updated instead.
WITH invitation AS (
    DELETE FROM team_invitations WHERE id = :member_id RETURNING owner_id, id, team_id
)
INSERT INTO team_members AS m (owner_id, id, team_id, user_id, request_status, is_sharing_accepted)
SELECT owner_id, id, team_id, :user_id, 'Accepted', :is_sharing_accepted FROM invitation
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE
    SET id = excluded.id, request_status = 'Accepted', is_sharing_accepted = excluded.is_sharing_accepted
