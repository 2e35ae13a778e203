-- A member who is notified of a lead gets a message for each alert flag.
SELECT offers.owner_id, offers.lead_id, offers.user_id, flag.channel
FROM offers
CROSS JOIN LATERAL (VALUES
    ('call', offers.has_call_alert), ('text', offers.has_text_alert), ('email', offers.has_email_alert)
) AS flag (channel, is_set)
WHERE offers.notified_at IS NOT NULL AND flag.is_set AND offers.user_id <> offers.owner_id
  AND NOT EXISTS (
      SELECT FROM messages
      WHERE messages.owner_id = offers.owner_id AND messages.lead_id = offers.lead_id
        AND messages.user_id = offers.user_id AND messages.channel = flag.channel COLLATE "C"
  )
