-- Locks the open leads with an offer to this user, or through this team, in the order of their ids: also those of which
-- the offer was skipped, as they may wait for returns, and be offered just now. :user_id may be null; :owner_id and
-- :team_id go together and may be null. The caller checks the offers again once the locks are held.
SELECT l.owner_id, l.id
FROM leads l
WHERE (l.owner_id, l.id) IN (
        SELECT o.owner_id, o.lead_id FROM offers o
        WHERE o.user_id = :user_id::bigint
          AND (:team_id::bigint IS NULL OR (o.owner_id, o.team_id) = (:owner_id, :team_id))
          AND o.state IN ('scheduled', 'notified', 'expired')
        UNION ALL
        SELECT o.owner_id, o.lead_id FROM offers o
        WHERE :user_id::bigint IS NULL AND o.owner_id = :owner_id::bigint AND o.team_id = :team_id::bigint
          AND o.state IN ('scheduled', 'notified', 'expired')
        UNION ALL
        SELECT o.owner_id, o.lead_id FROM offers o
        JOIN offers w ON w.owner_id = o.owner_id AND w.lead_id = o.lead_id AND w.state = 'scheduled'
        WHERE o.user_id = :user_id AND (:team_id IS NULL OR (o.owner_id, o.team_id) = (:owner_id, :team_id))
          AND o.state = 'skipped')
  AND NOT EXISTS (SELECT FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id)
ORDER BY l.id
FOR NO KEY UPDATE OF l
