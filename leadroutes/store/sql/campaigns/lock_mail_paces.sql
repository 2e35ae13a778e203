-- Locks and returns how many mails these senders have sent, with the real time; a sender's first use begins its pace. A
-- turn that was given by other rules than those of :version does not count.
WITH wanted AS (
    SELECT user_id FROM unnest(:user_ids::bigint[]) AS x (user_id)
), begun AS (
    INSERT INTO mail_paces (user_id) SELECT user_id FROM wanted ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
    RETURNING *
)
SELECT user_id, first_at, sent::text AS sent, CASE WHEN turns_by = :version THEN last_turn END AS last_turn,
       clock_timestamp() AS real_now FROM begun
