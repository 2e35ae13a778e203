-- :owner_id owner, :lead_id lead. Why the campaign of its route was not started, in words; nothing where it was.
SELECT format('the campaign %s was not started: %s', e.detail ->> 'campaign_id', e.detail ->> 'reason')
FROM lead_events e
WHERE e.owner_id = :owner_id AND e.lead_id = :lead_id AND e.kind = 'campaign not started'
ORDER BY e.id DESC LIMIT 1
