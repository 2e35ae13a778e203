-- Adds steps of an action to runs of its campaign, each at its moment and with its template; the lists are of equal
-- length.
-- planner: per-row lookup
WITH action AS (
    SELECT a.* FROM campaigns g JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.campaign_id = g.id
    WHERE g.id = :campaign_id AND a.id = :action_id
), step AS MATERIALIZED (
    SELECT r.owner_id, r.id AS campaign_contact_id, r.contact_id, r.lead_id, c.assigned_user_id AS agent_id, x.moment,
           x.template_id
    FROM unnest(:owner_ids::bigint[], :run_ids::bigint[], :moments::timestamptz[], :template_ids::bigint[])
        AS x (owner_id, id, moment, template_id)
    CROSS JOIN LATERAL (
        SELECT r.* FROM campaign_contacts r WHERE r.owner_id = x.owner_id AND r.id = x.id OFFSET 0) r
    CROSS JOIN LATERAL (
        SELECT c.assigned_user_id FROM contacts c WHERE c.owner_id = r.owner_id AND c.id = r.contact_id OFFSET 0) c
), communication AS (
    INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, action_id, lead_id,
                                        type, template_id, assigned_user_id, is_stopped_on_text_reply, send_at)
    SELECT s.owner_id, s.contact_id, s.campaign_contact_id, :campaign_id, a.id, s.lead_id, a.type, s.template_id,
           a.assigned_user_id, a.is_stopped_on_text_reply, s.moment
    FROM step s, action a
    WHERE :are_communications::boolean
    ORDER BY s.moment
)
INSERT INTO tasks (owner_id, contact_id, contact_owner_id, action_type, assigned_user_id, due_at, description, status,
                   campaign_contact_id, campaign_action_id, follows_contact, recurs_at, created_at, modified_at)
SELECT s.owner_id, s.contact_id, s.owner_id, a.type, coalesce(a.assigned_user_id, s.agent_id, s.owner_id), s.moment,
       coalesce(a.description, a.type), 'incomplete', s.campaign_contact_id, a.id, a.assigned_user_id IS NULL,
       CASE WHEN :repeats::boolean THEN s.moment END, :now, :now
FROM step s, action a
WHERE NOT :are_communications
ORDER BY s.moment
