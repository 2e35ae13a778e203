-- An owner who is offered a lead, or gets it by the target Myself, gets a message.
SELECT offers.owner_id, offers.lead_id
FROM offers
WHERE offers.notified_at IS NOT NULL AND offers.user_id = offers.owner_id
  AND (offers.has_call_alert OR offers.has_text_alert OR offers.has_email_alert)
  AND NOT EXISTS (
      SELECT FROM messages
      WHERE messages.owner_id = offers.owner_id AND messages.lead_id = offers.lead_id
        AND messages.user_id = offers.user_id
  )
