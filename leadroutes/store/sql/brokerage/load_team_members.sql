-- Adds team members from a brokerage file and returns how many were new. A member who accepts a team that shares
-- contacts accepts the sharing.
WITH added AS (
    INSERT INTO team_members (owner_id, team_id, user_id, request_status, is_sharing_accepted)
    SELECT :owner_id, given.team_id, given.user_id, given.request_status,
           given.request_status = 'Accepted' AND t.is_contact_resource_sharing_enabled
    FROM jsonb_to_recordset(:records) AS given (team_id bigint, user_id bigint, request_status text)
    JOIN teams t ON t.owner_id = :owner_id AND t.id = given.team_id
    ON CONFLICT (owner_id, team_id, user_id) DO NOTHING
    RETURNING id
)
SELECT count(*) FROM added
