-- Returns so many steps of a campaign, whichever they are.
SELECT id, is_active FROM contact_communications WHERE campaign_id = :campaign_id LIMIT :most
