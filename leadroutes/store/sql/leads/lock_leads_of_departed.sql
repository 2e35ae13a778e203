-- :user_id user or null, :owner_id owner and :team_id team, or null. The open leads of which an offer was told to this user, or through this
-- team, locked in the order of their ids; whether the offer is still open, the caller looks at once they are held.
SELECT l.owner_id, l.id
FROM leads l
WHERE (l.owner_id, l.id) IN (
        SELECT o.owner_id, o.lead_id FROM offers o
        WHERE o.user_id = :user_id::bigint AND (:team_id::bigint IS NULL OR (o.owner_id, o.team_id) = (:owner_id, :team_id))
          AND o.state IN ('scheduled', 'notified', 'expired')
        UNION ALL
        SELECT o.owner_id, o.lead_id FROM offers o
        WHERE :user_id::bigint IS NULL AND o.owner_id = :owner_id::bigint AND o.team_id = :team_id::bigint
          AND o.state IN ('scheduled', 'notified', 'expired'))
  AND NOT EXISTS (SELECT FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id)
ORDER BY l.id
FOR NO KEY UPDATE OF l
