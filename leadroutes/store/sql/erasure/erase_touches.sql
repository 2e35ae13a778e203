-- Deletes what the contact said in inquiries that touched the contact's leads, and what agents said about them.
WITH gone AS (
    UPDATE lead_events e SET detail = e.detail - '{message,source,first_name,last_name,email,phone,note}'::text[]
    FROM leads l
    WHERE l.owner_id = :owner_id AND l.contact_id = :contact_id
      AND e.owner_id = l.owner_id AND e.lead_id = l.id
      AND e.detail ?| '{message,source,first_name,last_name,email,phone,note}'::text[]
    RETURNING 1
)
SELECT count(*) FROM gone
