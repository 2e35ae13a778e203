-- Locks and returns the turns of these teams until the decision is committed; adds those that are missing. A team whose
-- order depends on counts has none, and is locked the same way. The ids are sorted, so that two batches
-- lock in one order.
INSERT INTO team_turns AS t (owner_id, team_id)
SELECT * FROM unnest(:owner_ids::bigint[], :team_ids::bigint[])
ON CONFLICT (owner_id, team_id) DO UPDATE SET credits = t.credits
RETURNING owner_id, team_id, credits::text AS credits, present, weights, latest, given_back::text AS given_back
