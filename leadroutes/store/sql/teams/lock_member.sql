-- Locks a team member and returns it.
SELECT owner_id, team_id, user_id, request_status FROM team_members WHERE id = :member_id FOR UPDATE
