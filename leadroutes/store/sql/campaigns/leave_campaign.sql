-- $1 campaign. Before it is removed: its communications keep its name.
UPDATE contact_communications c SET campaign_name = g.name
FROM campaigns g
WHERE c.campaign_id = $1 AND g.id = c.campaign_id
