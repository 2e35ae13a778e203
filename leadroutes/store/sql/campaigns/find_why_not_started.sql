-- Returns the reason why the campaign of a lead's route was not started, as a sentence; nothing where it was started.
SELECT why FROM (
    SELECT format('the campaign %s was not started: %s', e.detail ->> 'campaign_id', e.detail ->> 'reason') AS why, e.id
    FROM lead_events e
    WHERE e.owner_id = :owner_id AND e.lead_id = :lead_id AND e.kind = 'campaign not started'
    UNION ALL
    SELECT 'no campaign was started: it is a test lead', 0 FROM leads l
    WHERE l.owner_id = :owner_id AND l.id = :lead_id AND l.is_test AND l.route_id IS NOT NULL
) reasons
ORDER BY id DESC LIMIT 1
