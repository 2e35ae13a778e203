-- Takes the steps out of a campaign that is about to be removed; they keep the name that it had. As one statement: the
-- foreign keys would do it for each contact alone.
UPDATE contact_communications c SET campaign_name = g.name, campaign_id = NULL, campaign_contact_id = NULL
FROM campaigns g WHERE g.id = :campaign_id AND c.campaign_id = g.id
