-- Makes the successor a member of the teams that were handed over, as every creator of a team is. Sharing is not
-- accepted, so nothing of what members share is visible before the successor agrees.
INSERT INTO team_members (owner_id, team_id, user_id, request_status)
SELECT :successor_id, id, :successor_id, 'Accepted' FROM unnest(:team_ids::bigint[]) AS given (id)
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE SET request_status = 'Accepted'
