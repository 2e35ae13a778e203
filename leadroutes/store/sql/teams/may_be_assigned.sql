-- $1 owner, $2 user. Whether the owner may give a lead to this user: himself, or an active user who shares a team.
SELECT $1::bigint = $2::bigint OR EXISTS (
    SELECT FROM teammates t JOIN users u ON u.id = t.teammate_id AND u.is_active
    WHERE t.user_id = $1 AND t.teammate_id = $2)
