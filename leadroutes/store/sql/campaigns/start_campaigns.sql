-- Starts campaigns for contacts (a JSON list; is_first: the first start of this contact and campaign in the list), and
-- returns the runs. A campaign that still runs for a contact, because a one-time communication of it has not left, is
-- not started again; the lead's history says so. A run with nothing left to send ends first: its open tasks stay, and
-- take_over_steps moves what repeats into the new run.
-- planner: short list, per-row lookup, scalar lookup, hidden condition, evaluation order
WITH start AS (
    SELECT * FROM (SELECT * FROM json_to_recordset(:starts::json) AS x (
        owner_id bigint, contact_id bigint, campaign_id bigint, lead_id bigint, started_by bigint, is_first boolean,
        steps json)
        LIMIT json_array_length(:starts::json)) x LIMIT json_array_length(:starts::json)
), running AS MATERIALIZED (
    SELECT r.owner_id, r.id FROM start s
    CROSS JOIN LATERAL (
        SELECT r.owner_id, r.id, r.campaign_id, r.ended_at FROM campaign_contacts r
        WHERE r.owner_id = s.owner_id AND r.contact_id = s.contact_id OFFSET 0) r
    WHERE s.is_first AND r.campaign_id = s.campaign_id AND r.ended_at IS NULL
), settled AS (
    UPDATE campaign_contacts r SET ended_at = :now
    FROM running
    WHERE r.owner_id = running.owner_id AND r.id = running.id AND num_nulls(r.ended_at) = 1
      AND (
        SELECT c.id FROM (
            SELECT * FROM contact_communications c
            WHERE c.owner_id = r.owner_id AND c.campaign_contact_id = r.id OFFSET 0) c
        WHERE c.is_active
          AND (c.type <> 'Call Contact' OR c.taken_at IS NULL)  -- a call has left when its alert is made
          AND NOT EXISTS (
            SELECT FROM campaigns g JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.trigger_type = 2
            WHERE g.id = c.campaign_id AND a.id = c.action_id)
        LIMIT 1) IS NULL
    RETURNING r.owner_id, r.campaign_id, r.contact_id, r.id
), started AS (
    INSERT INTO campaign_contacts (owner_id, campaign_id, contact_id, lead_id, started_by, created_at)
    SELECT s.owner_id, s.campaign_id, s.contact_id, s.lead_id, s.started_by, :now
    FROM start s JOIN campaigns c ON c.id = s.campaign_id
    WHERE s.is_first AND (SELECT count(*) FROM settled) >= 0          -- planner: evaluation order
    FOR KEY SHARE OF c                                                -- else it may be removed meanwhile
    ON CONFLICT (owner_id, campaign_id, contact_id) WHERE ended_at IS NULL DO NOTHING
    RETURNING owner_id, campaign_id, contact_id, lead_id, id
), step AS (
    SELECT r.owner_id, r.id AS campaign_contact_id, r.campaign_id, r.contact_id, r.lead_id,
           c.assigned_user_id AS contact_assigned_user_id, x.*
    FROM started r
    JOIN start s USING (owner_id, campaign_id, contact_id)
    JOIN contacts c ON c.owner_id = r.owner_id AND c.id = r.contact_id
    CROSS JOIN LATERAL json_to_recordset(s.steps) AS x (
        action_id bigint, type text, is_communication boolean, due_at timestamptz, is_past boolean, template_id bigint,
        assigned_user_id bigint, is_stopped_on_text_reply boolean, description text, is_recurring boolean)
    WHERE s.is_first
), communication AS (
    INSERT INTO contact_communications (owner_id, contact_id, campaign_contact_id, campaign_id, action_id, lead_id,
                                        type, template_id, assigned_user_id, is_stopped_on_text_reply, is_active,
                                        send_at, completed_at)
    SELECT owner_id, contact_id, campaign_contact_id, campaign_id, action_id, lead_id, type, template_id,
           assigned_user_id, is_stopped_on_text_reply, NOT is_past, due_at, CASE WHEN is_past THEN :now END
    FROM step WHERE is_communication
    ORDER BY due_at
    RETURNING owner_id, id, contact_id, lead_id, type, is_active, send_at
), too_late AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, state, reason, created_at)
    SELECT owner_id, 'campaign',
           CASE type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           lead_id, contact_id, id, 'suppressed', 'its moment had passed when the campaign began', :now
    FROM communication WHERE NOT is_active
    ORDER BY send_at, id
), task AS (
    INSERT INTO tasks (owner_id, contact_id, contact_owner_id, action_type, assigned_user_id, due_at, description,
                       status, campaign_contact_id, campaign_action_id, follows_contact, recurs_at, created_at,
                       modified_at)
    SELECT owner_id, contact_id, owner_id, type, coalesce(assigned_user_id, contact_assigned_user_id, owner_id), due_at,
           coalesce(description, type), 'incomplete', campaign_contact_id, action_id, assigned_user_id IS NULL,
           CASE WHEN is_recurring THEN due_at END, :now, :now
    FROM step WHERE NOT is_communication
    ORDER BY due_at
), not_started AS (
    INSERT INTO lead_events (owner_id, lead_id, at, kind, by_user_id, detail)
    SELECT s.owner_id, s.lead_id, :now, 'campaign not started', s.started_by,
           jsonb_build_object('campaign_id', s.campaign_id, 'reason', CASE
               WHEN EXISTS (SELECT FROM campaigns c WHERE c.id = s.campaign_id)
               THEN 'it is still running for the contact' ELSE 'it has been removed' END)
    FROM start s
    LEFT JOIN started r ON r.owner_id = s.owner_id AND r.campaign_id = s.campaign_id AND r.contact_id = s.contact_id
    WHERE s.lead_id IS NOT NULL AND (r.id IS NULL OR NOT s.is_first)
)
SELECT owner_id, campaign_id, contact_id, started.id, settled.id AS settled_id
FROM started LEFT JOIN settled USING (owner_id, campaign_id, contact_id)
