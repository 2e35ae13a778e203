-- Returns the names of what the rows of a report are about, by kind and id; those that have been deleted are missing.
SELECT 'agent' AS kind, u.id, display_name(u) AS name FROM users u WHERE u.id = ANY (:user_ids::bigint[])
UNION ALL
SELECT 'source', s.id, s.name FROM lead_sources s WHERE s.id = ANY (:source_ids::bigint[])
UNION ALL
SELECT 'team', t.id, t.name FROM teams t WHERE t.owner_id = :owner_id AND t.id = ANY (:team_ids::bigint[])
UNION ALL
SELECT 'campaign', c.id, c.name FROM campaigns c WHERE c.id = ANY (:campaign_ids::bigint[])
