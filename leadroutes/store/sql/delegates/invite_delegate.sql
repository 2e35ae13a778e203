-- Invites a user or an e-mail address (the other is null) to act for an owner and returns the delegate's id; nothing
-- when the same was invited before. A declined invitation is renewed.
INSERT INTO delegates AS d (owner_id, user_id, email, role, team_id, created_at)
VALUES (:owner_id, :user_id, :email, :role, :team_id, :now)
ON CONFLICT (owner_id, (coalesce(user_id::text, lower(email)))) DO UPDATE
    SET role = excluded.role, team_id = excluded.team_id, declined_at = NULL
    WHERE d.declined_at IS NOT NULL
RETURNING id
