-- owner_id, team members; answers how many were added
WITH added AS (
    INSERT INTO team_members (owner_id, team_id, user_id, request_status)
    SELECT $1, given.team_id, given.user_id, given.request_status
    FROM jsonb_to_recordset($2) AS given (team_id bigint, user_id bigint, request_status text)
    ON CONFLICT (owner_id, team_id, user_id) DO NOTHING
    RETURNING id
)
SELECT count(*) FROM added
