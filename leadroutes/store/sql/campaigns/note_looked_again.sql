-- Notes up to which step what waits in a campaign is looked at again.
UPDATE changed_windows SET after_id = :after_id WHERE owner_id = :owner_id AND campaign_id = :campaign_id
