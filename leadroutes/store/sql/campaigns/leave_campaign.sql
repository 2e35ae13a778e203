-- Copies the name of a campaign that is about to be removed to its steps.
UPDATE contact_communications c SET campaign_name = g.name
FROM campaigns g
WHERE c.campaign_id = :campaign_id AND g.id = c.campaign_id
