-- :owner_id owner, :user_id user. Whether the owner may give a lead to this user: himself, or an active user who shares a team.
SELECT :owner_id::bigint = :user_id::bigint OR EXISTS (
    SELECT FROM teammates t JOIN users u ON u.id = t.teammate_id AND u.is_active
    WHERE t.user_id = :owner_id AND t.teammate_id = :user_id)
