-- Lists the users who are accepted members of a team.
SELECT user_id FROM team_members WHERE owner_id = :owner_id AND team_id = :team_id AND request_status = 'Accepted'
