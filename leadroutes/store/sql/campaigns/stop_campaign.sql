-- $1 now, $2 owner, $3 campaign contact, $4 who did it. The run is over, with everything of it that has not been sent or done.
WITH open_task AS (
    UPDATE tasks SET status = 'deleted', recurs_at = NULL, modified_at = $1
    WHERE owner_id = $2 AND campaign_contact_id = $3 AND status = 'incomplete'
), run AS (
    UPDATE campaign_contacts SET ended_at = $1 WHERE owner_id = $2 AND id = $3 AND ended_at IS NULL
)
SELECT end_steps(
    ARRAY(SELECT id FROM contact_communications WHERE owner_id = $2 AND campaign_contact_id = $3 AND is_active),
    $1, $4, 'the campaign was stopped')
