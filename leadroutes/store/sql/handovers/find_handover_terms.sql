-- Returns whether a lead may be passed to a user, and whether its owner need not be asked. Of a lead of a team, its
-- accepted members may have it; of one without, whoever the owner may assign it to.
SELECT u.is_active AND CASE WHEN :team_id::bigint IS NOT NULL
           THEN u.id = :owner_id OR EXISTS (
               SELECT FROM team_members m
               WHERE m.owner_id = :owner_id AND m.team_id = :team_id AND m.user_id = u.id
                 AND m.request_status = 'Accepted')
           ELSE u.id = :owner_id OR EXISTS (
               SELECT FROM teammates t WHERE t.user_id = :owner_id AND t.teammate_id = u.id) END AS is_possible,
       coalesce((SELECT t.is_handover_free FROM teams t WHERE t.owner_id = :owner_id AND t.id = :team_id), false)
           AS is_free
FROM users u
WHERE u.id = :to_user_id
