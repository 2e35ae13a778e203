-- Notes who has removed a campaign, where something of it is left.
UPDATE removed_campaigns SET removed_by = :user_id WHERE id = :campaign_id
