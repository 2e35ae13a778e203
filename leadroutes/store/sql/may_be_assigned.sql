-- $1 owner, $2 user. Whether the owner may give a lead to this user: himself, or an active user who shares a team.
SELECT $1::bigint = $2::bigint OR EXISTS (
    SELECT FROM team_members a
    JOIN team_members b ON b.team_id = a.team_id AND b.request_status = 'Accepted'
    JOIN users u ON u.id = b.user_id AND u.is_active
    WHERE a.user_id = $1 AND a.request_status = 'Accepted' AND b.user_id = $2)
