-- :user_id user. What of theirs somebody else has to go on with: kind, id.
SELECT 'intake_keys' AS kind, id FROM intake_keys WHERE owner_id = :user_id AND revoked_at IS NULL
UNION ALL
SELECT 'lead_routes', id FROM lead_routes WHERE owner_id = :user_id
UNION ALL
SELECT 'teams', id FROM teams WHERE owner_id = :user_id
ORDER BY kind, id
