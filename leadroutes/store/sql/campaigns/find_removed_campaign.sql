-- Returns, locked, a removed campaign of which something is left; no batch of it is done meanwhile.
SELECT owner_id, id, name, removed_by, removed_at FROM removed_campaigns WHERE id = :campaign_id
FOR NO KEY UPDATE
