-- Ends the contact's campaigns, with everything that has not been sent.
WITH ended AS (
    UPDATE campaign_contacts SET ended_at = :now
    WHERE owner_id = :owner_id AND contact_id = :contact_id AND ended_at IS NULL
)
SELECT end_steps(
    ARRAY(SELECT id FROM contact_communications WHERE owner_id = :owner_id AND contact_id = :contact_id AND is_active),
    :now, NULL, 'the contact was erased')
