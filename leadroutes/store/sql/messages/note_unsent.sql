-- Records that a text of which no one knew whether it was sent never came to the provider. Returns its id, null where
-- that is known meanwhile.
UPDATE messages SET state = 'failed', reason = :reason, advice = :advice, asks_at = NULL
WHERE owner_id = :owner_id AND id = :message_id AND state = 'unknown' AND provider_id IS NULL
RETURNING id
