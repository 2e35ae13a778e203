-- Gives open communications of an action (:communication_ids), and tasks of it that were not due at :since (:task_ids),
-- what the action says by now: template, sender, texts that an answer stops; assignee, description. :template_ids has
-- the template of each communication. Returns the contact and the kind of what differs; without :is_written it is only
-- looked at.
-- planner: per-row lookup
WITH action AS (
    SELECT a.* FROM campaigns g JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.campaign_id = g.id
    WHERE g.id = :campaign_id AND a.id = :action_id
), step AS MATERIALIZED (
    SELECT s.owner_id, s.id, s.contact_id, x.template_id, a.assigned_user_id, a.is_stopped_on_text_reply
    FROM action a
    CROSS JOIN unnest(:communication_ids::bigint[], :template_ids::bigint[]) AS x (id, template_id)
    CROSS JOIN LATERAL (
        SELECT * FROM contact_communications s
        WHERE s.id = x.id AND s.is_active AND s.type = a.type
          AND (s.template_id, s.assigned_user_id, s.is_stopped_on_text_reply)
              IS DISTINCT FROM (x.template_id, a.assigned_user_id, a.is_stopped_on_text_reply)
        OFFSET 0) s
), communication AS (
    UPDATE contact_communications s
    SET template_id = x.template_id, assigned_user_id = x.assigned_user_id,
        is_stopped_on_text_reply = x.is_stopped_on_text_reply
    FROM step x
    WHERE :is_written::boolean AND s.owner_id = x.owner_id AND s.id = x.id AND s.is_active
), task AS MATERIALIZED (
    SELECT t.owner_id, t.id, t.contact_owner_id, t.contact_id, coalesce(a.description, a.type) AS description,
           a.assigned_user_id
    FROM action a
    CROSS JOIN unnest(:task_ids::bigint[]) AS x (id)
    CROSS JOIN LATERAL (
        SELECT * FROM tasks t
        WHERE t.id = x.id AND t.status = 'incomplete' AND t.due_at > :since::timestamptz AND t.action_type = a.type
          AND (t.description IS DISTINCT FROM coalesce(a.description, a.type) AND :changes_description::boolean
               OR :changes_assignee::boolean)
        OFFSET 0) t
), changed_task AS (
    UPDATE tasks t
    SET description = x.description, modified_at = :now, follows_contact = x.assigned_user_id IS NULL,
        assigned_user_id = coalesce(x.assigned_user_id, (
            SELECT c.assigned_user_id FROM contacts c
            WHERE c.owner_id = t.contact_owner_id AND c.id = t.contact_id), t.owner_id)
    FROM task x
    WHERE :is_written AND t.owner_id = x.owner_id AND t.id = x.id AND t.status = 'incomplete'
)
SELECT owner_id, contact_id, true AS is_message, id FROM step
UNION ALL
SELECT contact_owner_id, contact_id, false, id FROM task
