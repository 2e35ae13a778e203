-- :owner_ids owner ids, :team_ids team ids, sorted. The turns of these teams, locked until the decision is committed.
INSERT INTO team_turns AS t (owner_id, team_id)
SELECT * FROM unnest(:owner_ids::bigint[], :team_ids::bigint[])
ON CONFLICT (owner_id, team_id) DO UPDATE SET credits = t.credits
RETURNING owner_id, team_id, credits::text AS credits, present
