-- An offer made through a team cannot be claimed by a member who has left the team.
SELECT offers.owner_id, offers.lead_id, offers.user_id, offers.team_id, offers.state
FROM offers
LEFT JOIN claims ON claims.owner_id = offers.owner_id AND claims.lead_id = offers.lead_id
WHERE offers.state IN ('notified', 'expired') AND offers.team_id IS NOT NULL AND offers.user_id <> offers.owner_id
  AND claims.lead_id IS NULL
  AND NOT EXISTS (
      SELECT FROM team_members JOIN users ON users.id = team_members.user_id AND users.is_active
      WHERE team_members.owner_id = offers.owner_id AND team_members.team_id = offers.team_id
        AND team_members.user_id = offers.user_id AND team_members.request_status = 'Accepted'
  )
