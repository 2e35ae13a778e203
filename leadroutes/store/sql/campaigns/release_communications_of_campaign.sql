-- Lets all steps of a campaign leave that are held; the campaign no longer waits until someone has the lead.
WITH released AS (
    UPDATE contact_communications SET taken_at = NULL, waits_until = NULL, is_held = false
    WHERE campaign_id = :campaign_id AND is_held AND is_active
    RETURNING id
)
SELECT count(*) FROM released
