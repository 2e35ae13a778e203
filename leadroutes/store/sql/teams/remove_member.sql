-- Deletes a team member.
DELETE FROM team_members WHERE id = :member_id
