-- $1 lead, $2 user. The owner of a lead that this user may look at: his own, one that he was told of, one that he has.
SELECT l.owner_id
FROM leads l
WHERE l.id = $1
  AND (
      l.owner_id = $2
      OR EXISTS (SELECT FROM offers o WHERE o.owner_id = l.owner_id AND o.lead_id = l.id AND o.user_id = $2
                 AND o.notified_at IS NOT NULL)
      OR EXISTS (SELECT FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id AND c.user_id = $2)
  )
