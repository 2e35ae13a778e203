-- An offer that was notified and then withdrawn is in the history of its lead.
SELECT offers.owner_id, offers.lead_id, offers.user_id
FROM offers
WHERE offers.state = 'withdrawn' AND offers.notified_at IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM lead_events
      WHERE lead_events.owner_id = offers.owner_id AND lead_events.lead_id = offers.lead_id
        AND lead_events.kind = 'withdrawn' AND lead_events.user_id = offers.user_id
  )
