-- Takes the next reply number of a phone for a message about an offer and returns it; null where the phone was sent all
-- of them since :since. A further attempt to send the same message gets the same number. The row of the phone is locked
-- first, so that of two texts at the same moment each gets its own.
WITH again AS (
    SELECT number FROM reply_numbers
    WHERE owner_id = :owner_id AND message_id = :message_id AND phone = :phone
), sent_again AS (
    UPDATE reply_numbers r SET sent_at = :now FROM again WHERE r.phone = :phone AND r.number = again.number
), used_again AS (
    UPDATE reply_phones p SET used_at = with_use_of(again.number, p.used_at, :now::timestamptz)
    FROM again WHERE p.phone = :phone
), taken AS (
    INSERT INTO reply_phones AS p (phone, last_number, used_at)
    SELECT :phone, 1, with_use_of(1::smallint, array_fill(NULL::timestamptz, ARRAY[99]), :now)
    WHERE NOT EXISTS (SELECT FROM again)
    ON CONFLICT (phone) DO UPDATE SET
        last_number = coalesce(next_reply_number(p.last_number, p.used_at, :since::timestamptz), p.last_number),
        used_at = with_use_of(next_reply_number(p.last_number, p.used_at, :since), p.used_at, :now),
        unnumbered_at = CASE WHEN next_reply_number(p.last_number, p.used_at, :since) IS NULL THEN :now
            ELSE p.unnumbered_at END
    RETURNING CASE WHEN p.unnumbered_at IS DISTINCT FROM :now THEN p.last_number END AS number
), meaning AS (
    INSERT INTO reply_numbers (phone, number, owner_id, offer_id, message_id, sent_at)
    SELECT :phone, number, :owner_id, :offer_id::bigint, :message_id, :now FROM taken WHERE number IS NOT NULL
    ON CONFLICT (phone, number) DO UPDATE SET owner_id = excluded.owner_id, offer_id = excluded.offer_id,
        message_id = excluded.message_id, sent_at = excluded.sent_at
)
SELECT coalesce((SELECT number FROM again), (SELECT number FROM taken)) AS number
