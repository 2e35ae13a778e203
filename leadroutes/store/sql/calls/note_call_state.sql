-- Records what the provider reports of a call: with the call, in the list of its message's callbacks and in the
-- message, where it replaces those of :earlier. What is reported after the end of a call changes nothing. Returns the
-- message.
WITH call AS (
    UPDATE calls c
    SET provider_id = :provider_id,
        answered_at = CASE WHEN :is_answered::boolean THEN coalesce(c.answered_at, :now::timestamptz)
            ELSE c.answered_at END,
        outcome = CASE WHEN :is_over::boolean THEN :state END,
        ended_at = CASE WHEN :is_over THEN :now END
    WHERE c.token_hash = :token_hash AND c.outcome IS NULL AND coalesce(c.provider_id, :provider_id) = :provider_id
    RETURNING c.owner_id, c.message_id
), reported AS (
    INSERT INTO message_callbacks (owner_id, message_id, provider_id, state, error_code, received_at)
    SELECT owner_id, message_id, :provider_id, :state, :error_code::integer, :now FROM call
)
UPDATE messages m
SET provider_id = :provider_id,
    provider_state = CASE WHEN m.provider_id IS DISTINCT FROM :provider_id OR m.provider_state IS NULL
        OR m.provider_state = ANY (:earlier::text[]) THEN :state ELSE m.provider_state END,
    error_code = coalesce(:error_code, m.error_code),
    delivered_at = CASE WHEN :state = 'completed' THEN coalesce(m.delivered_at, :now) ELSE m.delivered_at END
FROM call
WHERE m.owner_id = call.owner_id AND m.id = call.message_id
RETURNING m.owner_id, m.id
