-- Returns the steps of a campaign that write to contacts, with their templates.
SELECT a.id, a.template_id, a.variants::text AS variants, a.smallest_difference
FROM campaign_actions a
WHERE a.campaign_id = :campaign_id AND a.type IN ('Email Contact', 'Text Contact', 'Call Contact')
ORDER BY a.id
