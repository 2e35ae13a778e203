-- $1 owner, $2 contact, $3 now. The campaigns end: what has not been sent never is.
WITH ended AS (
    UPDATE campaign_contacts SET ended_at = $3 WHERE owner_id = $1 AND contact_id = $2 AND ended_at IS NULL
)
SELECT end_steps(
    ARRAY(SELECT id FROM contact_communications WHERE owner_id = $1 AND contact_id = $2 AND is_active),
    $3, NULL, 'the contact was erased')
