-- $1 user. What of theirs somebody else has to go on with: kind, id.
SELECT 'intake_keys' AS kind, id FROM intake_keys WHERE owner_id = $1 AND revoked_at IS NULL
UNION ALL
SELECT 'lead_routes', id FROM lead_routes WHERE owner_id = $1
UNION ALL
SELECT 'teams', id FROM teams WHERE owner_id = $1
ORDER BY kind, id
