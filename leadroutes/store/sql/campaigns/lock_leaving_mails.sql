-- Locks and returns how many mails of these senders have left, with the real time, as lock_mail_paces does for those
-- that were queued. A turn that was given by other rules than the present ones does not count.
WITH begun AS (
    INSERT INTO mail_paces (user_id) SELECT user_id FROM unnest(:user_ids::bigint[]) AS x (user_id) ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
    RETURNING *
)
SELECT user_id, first_at, left_sent::text AS sent,
       CASE WHEN left_turns_by = (SELECT version FROM sending_rules) THEN left_last_turn END AS last_turn,
       clock_timestamp() AS real_now
FROM begun
