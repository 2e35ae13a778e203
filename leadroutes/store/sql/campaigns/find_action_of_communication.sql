-- Returns the campaign, the action, the run and the contact of a campaign step.
SELECT campaign_id, action_id, contact_id, campaign_contact_id AS run_id FROM contact_communications
WHERE owner_id = :owner_id AND id = :communication_id
