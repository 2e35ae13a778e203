-- Ends a campaign for a contact, with everything that has not been sent or done.
-- planner: per-row lookup, hidden condition
WITH open_task AS (
    UPDATE tasks SET status = 'deleted', recurs_at = NULL, modified_at = :now
    WHERE owner_id = :owner_id AND campaign_contact_id = :campaign_contact_id AND status = 'incomplete'
), run AS (
    UPDATE campaign_contacts SET ended_at = :now, stopped_by_user_id = :by_user_id
    WHERE owner_id = :owner_id AND id = :campaign_contact_id AND num_nulls(ended_at) = 1
)
SELECT end_steps(
    ARRAY(SELECT step.id FROM (
              SELECT id, is_active FROM contact_communications
              WHERE owner_id = :owner_id AND campaign_contact_id = :campaign_contact_id OFFSET 0) step
          WHERE step.is_active),
    :now, :by_user_id, 'the campaign was stopped')
