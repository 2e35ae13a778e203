-- Adds the successors of birthday steps.
INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, action_id, lead_id, type,
    template_id, assigned_user_id, is_stopped_on_text_reply, send_at)
SELECT s.owner_id, s.contact_id, s.campaign_contact_id, s.campaign_id, s.action_id, s.lead_id, s.type,
       s.template_id, s.assigned_user_id, s.is_stopped_on_text_reply, x.next_at
FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[], :moments::timestamptz[]) AS x (owner_id, id, next_at)
JOIN contact_communications s ON s.owner_id = x.owner_id AND s.id = x.id
