-- Locks a campaign, so that it is not removed before the transaction ends, and returns a row where it exists.
SELECT true FROM campaigns WHERE id = :campaign_id FOR KEY SHARE
