-- Where every alert about an offer has failed, the offer says so, and the next member has been asked.
SELECT o.owner_id, o.lead_id, o.user_id
FROM offers o
JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id AND l.lapses_at IS NOT NULL
WHERE o.state = 'notified' AND o.team_id IS NOT NULL AND o.reason IS DISTINCT FROM 'could not be told'
  AND o.reason IS DISTINCT FROM 'no member of the line-up is available'  -- the owner's, to whom it fell
  AND (SELECT bool_and(m.state = 'failed') FROM messages m
       WHERE m.owner_id = o.owner_id AND m.lead_id = o.lead_id AND m.offer_id = o.id AND m.kind IN ('offer', 'reoffer')
         AND m.channel <> 'push' AND m.created_at >= o.notified_at)
  AND NOT EXISTS (SELECT FROM failed_notices f WHERE f.owner_id = o.owner_id AND f.offer_id = o.id)
