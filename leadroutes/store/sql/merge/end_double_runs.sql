-- Ends the runs of campaigns that are also running for the remaining contact, with everything that has not been sent or
-- done.
-- planner: per-row lookup, scalar lookup, short array
WITH doubled AS MATERIALIZED (
    SELECT r.owner_id, r.id
    FROM (SELECT owner_id, id, campaign_id, ended_at FROM campaign_contacts
          WHERE owner_id = :owner_id AND contact_id = :merged_id OFFSET 0) r
    WHERE r.ended_at IS NULL
      AND (SELECT true FROM (
               SELECT campaign_id, ended_at FROM campaign_contacts
               WHERE owner_id = :owner_id AND contact_id = :target_id OFFSET 0) k
           WHERE k.campaign_id = r.campaign_id AND k.ended_at IS NULL LIMIT 1)
), ended AS (
    UPDATE campaign_contacts SET ended_at = :now
    WHERE id = ANY (ARRAY(SELECT d.id FROM doubled d))
), open_task AS (
    UPDATE tasks t SET status = 'deleted', recurs_at = NULL, modified_at = :now
    FROM doubled d WHERE t.owner_id = d.owner_id AND t.campaign_contact_id = d.id AND t.status = 'incomplete'
)
SELECT end_steps(
    ARRAY(SELECT step.id FROM doubled d CROSS JOIN LATERAL (
              SELECT c.id, c.is_active FROM contact_communications c
              WHERE c.owner_id = d.owner_id AND c.campaign_contact_id = d.id OFFSET 0) step
          WHERE step.is_active),
    :now, :by_user_id, 'the contact was merged with one that is in the campaign')
