-- Returns whether an owner may give a lead to a user: the owner, or an active user with whom the owner shares a team.
SELECT :owner_id::bigint = :user_id::bigint OR EXISTS (
    SELECT FROM teammates t JOIN users u ON u.id = t.teammate_id AND u.is_active
    WHERE t.user_id = :owner_id AND t.teammate_id = :user_id)
