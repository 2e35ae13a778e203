-- Returns the reason why the campaign of a lead's route was not started, as a sentence; nothing where it was started.
SELECT format('the campaign %s was not started: %s', e.detail ->> 'campaign_id', e.detail ->> 'reason')
FROM lead_events e
WHERE e.owner_id = :owner_id AND e.lead_id = :lead_id AND e.kind = 'campaign not started'
ORDER BY e.id DESC LIMIT 1
