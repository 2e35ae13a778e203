-- Records what becomes of a message whose call no one answered.
UPDATE messages
SET state = :state, reason = :reason, advice = :advice, leaves_at = :leaves_at::timestamptz, sent_at = NULL
WHERE owner_id = :owner_id AND id = :message_id
