-- Notes that everything that waited in a campaign is looked at again.
DELETE FROM changed_windows WHERE owner_id = :owner_id AND campaign_id = :campaign_id
