-- Gives the distribution options of a team the ranks :ranks, parallel to :user_ids, if these are exactly the users who
-- have one. Returns these, sorted, and as (rank, user id) in the order that was before.
WITH present AS MATERIALIZED (
    SELECT o.id, o.user_id, o.rank FROM team_member_distribution_options o
    WHERE o.owner_id = :owner_id AND o.team_id = :team_id
    ORDER BY o.id
    FOR NO KEY UPDATE
), moved AS (
    UPDATE team_member_distribution_options o SET rank = w.rank
    FROM present p
    JOIN unnest(:user_ids::bigint[], :ranks::int[]) AS w (user_id, rank) ON w.user_id = p.user_id
    WHERE o.owner_id = :owner_id AND o.id = p.id AND o.rank IS DISTINCT FROM w.rank
      AND (SELECT array_agg(x.user_id ORDER BY x.user_id) FROM present x)
        = (SELECT array_agg(y.id ORDER BY y.id) FROM unnest(:user_ids::bigint[]) AS y (id))
)
SELECT coalesce(array_agg(p.user_id ORDER BY p.user_id), '{}') AS user_ids,
    coalesce(array_agg(p.rank ORDER BY p.rank, p.id), '{}') AS old_ranks,
    coalesce(array_agg(p.user_id ORDER BY p.rank, p.id), '{}') AS old_order
FROM present p
