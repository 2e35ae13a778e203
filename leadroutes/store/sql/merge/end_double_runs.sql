-- Ends the runs of campaigns that are also running for the remaining contact, with everything that has not been sent or
-- done.
WITH doubled AS MATERIALIZED (
    SELECT r.id FROM campaign_contacts r
    WHERE r.owner_id = :owner_id AND r.contact_id = :merged_id AND r.ended_at IS NULL
      AND EXISTS (
          SELECT FROM campaign_contacts k
          WHERE k.owner_id = r.owner_id AND k.campaign_id = r.campaign_id AND k.contact_id = :target_id
            AND k.ended_at IS NULL)
), ended AS (
    UPDATE campaign_contacts r SET ended_at = :now FROM doubled d WHERE r.owner_id = :owner_id AND r.id = d.id
), open_task AS (
    UPDATE tasks t SET status = 'deleted', recurs_at = NULL, modified_at = :now FROM doubled d
    WHERE t.owner_id = :owner_id AND t.campaign_contact_id = d.id AND t.status = 'incomplete'
)
SELECT end_steps(
    ARRAY(SELECT c.id FROM contact_communications c JOIN doubled d ON d.id = c.campaign_contact_id
          WHERE c.owner_id = :owner_id AND c.is_active),
    :now, :by_user_id, 'the contact was merged with one that is in the campaign')
