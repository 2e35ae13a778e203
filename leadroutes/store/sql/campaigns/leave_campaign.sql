-- Takes steps that have ended out of their campaign; they keep the name that it had.
UPDATE contact_communications SET campaign_name = :name, campaign_id = NULL, campaign_contact_id = NULL
WHERE id = ANY (:communication_ids::bigint[]) AND campaign_id = :campaign_id
