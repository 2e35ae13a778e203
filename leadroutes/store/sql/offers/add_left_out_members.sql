-- Adds accepted members who are not in the line-up of a lead. The lists are of equal length.
INSERT INTO left_out_members (owner_id, lead_id, team_id, user_id, at, reason)
SELECT x.owner_id, x.lead_id, x.team_id, x.user_id, :now, x.reason
FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[], :team_ids::bigint[], :user_ids::bigint[], :reasons::text[])
    AS x (owner_id, lead_id, team_id, user_id, reason)
