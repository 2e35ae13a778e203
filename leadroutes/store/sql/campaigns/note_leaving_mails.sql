-- Stores how many mails of senders have left, and until when the turns of others are given by the present rules.
UPDATE mail_paces p
SET left_sent = x.sent::jsonb, left_last_turn = x.last_turn,
    left_turns_by = coalesce((SELECT version FROM sending_rules), 0)
FROM unnest(:user_ids::bigint[], :sent::text[], :last_turns::timestamptz[]) AS x (user_id, sent, last_turn)
WHERE p.user_id = x.user_id
