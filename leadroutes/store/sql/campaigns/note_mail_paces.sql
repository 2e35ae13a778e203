-- Stores how many mails senders have sent, and until when the turns of others are given by this version of the rules.
UPDATE mail_paces p SET sent = x.sent::jsonb, last_turn = x.last_turn, turns_by = :version
FROM unnest(:user_ids::bigint[], :sent::text[], :last_turns::timestamptz[]) AS x (user_id, sent, last_turn)
WHERE p.user_id = x.user_id
