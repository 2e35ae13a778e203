-- :successor_id the successor, :team_ids teams that were handed over. Like every creator of a team, the successor is a member of it, and sees
-- nothing of what its members share before agreeing to that.
INSERT INTO team_members (owner_id, team_id, user_id, request_status)
SELECT :successor_id, id, :successor_id, 'Accepted' FROM unnest(:team_ids::bigint[]) AS given (id)
ON CONFLICT (owner_id, team_id, user_id) DO UPDATE SET request_status = 'Accepted'
