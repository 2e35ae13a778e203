-- Stores what a message is after a report of the provider, and the report where it was a callback. :suppressed_as: the
-- reason for which its number gets no more texts, or null. :address is that of the report, for a message whose sending
-- was not seen to its end. :leaves_at: when it is tried again, or null. That a number which has just stopped texts does
-- not get the confirmation of that is not a failure. Returns a row where the number is suppressed only now.
WITH changed AS (
    UPDATE messages m
    SET state = CASE WHEN m.kind = 'confirmation' AND :error_code::integer = 21610 AND :state = 'failed'
            THEN 'suppressed' ELSE :state END,
        reason = :reason, provider_id = :provider_id, provider_state = :provider_state,
        error_code = :error_code::integer, address = coalesce(m.address, :address),
        sent_at = CASE WHEN :state = 'sent' THEN coalesce(m.sent_at, :now::timestamptz) ELSE m.sent_at END,
        delivered_at = CASE WHEN :is_delivered THEN coalesce(m.delivered_at, :now) ELSE m.delivered_at END,
        leaves_at = :leaves_at::timestamptz, advice = :advice,
        asks_at = CASE WHEN :is_final THEN NULL ELSE m.asks_at END
    WHERE m.owner_id = :owner_id AND m.id = :message_id
    RETURNING m.owner_id, m.id, m.address
), stored AS (
    INSERT INTO message_callbacks (owner_id, message_id, provider_id, state, error_code, received_at)
    SELECT owner_id, id, :reported_id, :reported_state, :reported_code::integer, :now
    FROM changed WHERE :is_callback::boolean
)
INSERT INTO suppressions (owner_id, channel, value, digest, reason, at, source_message_id)
SELECT changed.owner_id, 'text', plain_address(changed.address), address_digest(changed.address, k.salt),
       :suppressed_as, :now, changed.id
FROM changed, suppression_salt k
WHERE :suppressed_as::text IS NOT NULL AND changed.address LIKE '+%'
ON CONFLICT DO NOTHING
RETURNING id
