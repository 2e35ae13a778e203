-- Returns why a number gets no texts from an owner, as a sentence, or null; and whether a text from it that may be a
-- word of stopping has not been read, whoever has it. Alerts are stopped only where the number asked for that, or
-- cannot take texts, and wait for no text. What it asked the installation for counts before the owner has a row of it.
SELECT CASE WHEN NOT :is_alert::boolean THEN channel_suppressed_because(:owner_id, 'text', :number) ELSE coalesce(
    (SELECT texts_suppressed_because(s.reason) FROM suppressions s
     WHERE s.owner_id = :owner_id AND s.channel = 'text' AND s.ended_at IS NULL
       AND s.digest = (SELECT address_digest(:number, k.salt) FROM suppression_salt k)
       AND s.reason IN ('stopped', 'bounced')
     ORDER BY NOT is_own_wish(s.reason), s.at, s.id
     LIMIT 1),
    CASE WHEN is_phone_stopped(:number) THEN texts_suppressed_because('stopped') END) END AS why,
    NOT :is_alert AND EXISTS (SELECT FROM received_texts r WHERE r.phone = :number AND r.handled_at IS NULL)
        AS is_being_read
