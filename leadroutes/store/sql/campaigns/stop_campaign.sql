-- Ends a campaign for a contact, with everything that has not been sent or done.
WITH open_task AS (
    UPDATE tasks SET status = 'deleted', recurs_at = NULL, modified_at = :now
    WHERE owner_id = :owner_id AND campaign_contact_id = :campaign_contact_id AND status = 'incomplete'
), run AS (
    UPDATE campaign_contacts SET ended_at = :now, stopped_by_user_id = :by_user_id
    WHERE owner_id = :owner_id AND id = :campaign_contact_id AND ended_at IS NULL
)
SELECT end_steps(
    ARRAY(SELECT id FROM contact_communications
          WHERE owner_id = :owner_id AND campaign_contact_id = :campaign_contact_id AND is_active),
    :now, :by_user_id, 'the campaign was stopped')
