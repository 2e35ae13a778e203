-- $1 campaign. Before it is removed: what was not sent goes, what was keeps its name.
WITH unsent AS (
    DELETE FROM contact_communications WHERE campaign_id = $1 AND is_active
)
UPDATE contact_communications c SET campaign_name = g.name
FROM campaigns g
WHERE c.campaign_id = $1 AND NOT c.is_active AND g.id = c.campaign_id
