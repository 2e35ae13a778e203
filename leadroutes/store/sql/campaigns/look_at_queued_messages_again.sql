-- Has messages of a campaign (null: of all) that wait for a moment in the queue looked at again.
-- planner: scalar lookup
UPDATE messages m SET leaves_at = m.created_at
WHERE m.leaves_at IS NOT NULL AND m.kind = 'campaign' AND m.state = 'queued'
  AND (:campaign_id::bigint IS NULL
       OR (SELECT s.campaign_id FROM contact_communications s
           WHERE s.owner_id = m.owner_id AND s.id = m.communication_id) = :campaign_id)
