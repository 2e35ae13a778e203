-- A lead that waits for members to be back is open, and says of each of them until when, and why.
SELECT o.owner_id, o.lead_id, o.user_id, o.reason, o.notify_at, o.available_from
FROM offers o
JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id
WHERE o.state = 'scheduled' AND o.available_from IS NOT NULL
  AND (l.lapses_at IS NULL OR o.reason IS NULL OR o.team_id IS NULL)
