-- Notes that nothing is left of a removed campaign.
DELETE FROM removed_campaigns WHERE id = :campaign_id
