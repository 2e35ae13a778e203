-- :campaign_id campaign. Before it is removed: its communications keep its name.
UPDATE contact_communications c SET campaign_name = g.name
FROM campaigns g
WHERE c.campaign_id = :campaign_id AND g.id = c.campaign_id
