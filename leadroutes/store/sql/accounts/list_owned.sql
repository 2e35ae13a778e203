-- Lists what a leaving user owns and a successor has to take over, as (kind, id).
SELECT 'intake_keys' AS kind, id FROM intake_keys WHERE owner_id = :user_id AND revoked_at IS NULL
UNION ALL
SELECT 'lead_routes', id FROM lead_routes WHERE owner_id = :user_id
UNION ALL
SELECT 'teams', id FROM teams WHERE owner_id = :user_id
ORDER BY kind, id
