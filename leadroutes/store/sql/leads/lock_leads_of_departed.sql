-- $1 user or null, $2 owner and $3 team, or null. The open leads of which an offer was told to this user, or through this
-- team, locked in the order of their ids; whether the offer is still open, the caller looks at once they are held.
SELECT l.owner_id, l.id
FROM leads l
WHERE (l.owner_id, l.id) IN (
        SELECT o.owner_id, o.lead_id FROM offers o
        WHERE o.user_id = $1::bigint AND ($3::bigint IS NULL OR (o.owner_id, o.team_id) = ($2, $3))
          AND o.state IN ('scheduled', 'notified', 'expired')
        UNION ALL
        SELECT o.owner_id, o.lead_id FROM offers o
        WHERE $1::bigint IS NULL AND o.owner_id = $2::bigint AND o.team_id = $3::bigint
          AND o.state IN ('scheduled', 'notified', 'expired'))
  AND NOT EXISTS (SELECT FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id)
ORDER BY l.id
FOR NO KEY UPDATE OF l
