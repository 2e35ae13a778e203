-- Moves all that hangs on a contact to the one that remains. Tasks that follow the contact go to its agent.
WITH address AS (
    UPDATE contact_addresses SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), event AS (
    UPDATE events SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id RETURNING id
), property AS (
    UPDATE event_properties p SET contact_id = :target_id FROM event
    WHERE p.owner_id = :owner_id AND p.api_event_id = event.id
), lead AS (
    UPDATE leads SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), run AS (
    UPDATE campaign_contacts SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), step AS (
    UPDATE contact_communications SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), task AS (
    UPDATE tasks
    SET contact_id = :target_id, modified_at = :now,
        assigned_user_id = CASE WHEN follows_contact AND status = 'incomplete'
            THEN coalesce(:agent_id::bigint, contact_owner_id) ELSE assigned_user_id END
    WHERE contact_owner_id = :owner_id AND contact_id = :merged_id
), consent AS (
    UPDATE consents SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), message AS (
    UPDATE messages SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), delivery AS (
    UPDATE webhook_deliveries SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), answer AS (
    UPDATE provider_requests SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
), assignment AS (
    UPDATE shared_assignments s SET contact_id = :target_id
    WHERE s.owner_id = :owner_id AND s.contact_id = :merged_id AND s.user_id = :agent_id::bigint
      AND NOT EXISTS (SELECT FROM shared_assignments k WHERE k.owner_id = :owner_id AND k.contact_id = :target_id)
)
UPDATE merged_contacts SET contact_id = :target_id WHERE owner_id = :owner_id AND contact_id = :merged_id
