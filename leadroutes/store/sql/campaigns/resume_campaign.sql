-- Sets a campaign going again where it was, for a contact for whom it was stopped, by hand or by an answer: what
-- waited for a delay moves by as long as it stood still, also what was due by then and waited for a window or a claim;
-- what has a date of its own keeps it, and is not sent once that has passed (:passed is the reason). Steps of actions
-- that were removed stay stopped, others are as their actions are by now, with the templates that these have for the
-- contact (:action_ids, :template_ids); what was moved, or became another kind, the caller deals with. Returns the run,
-- in a row for each birthday that has passed meanwhile, as these come again, else in one row; nothing where it was not
-- stopped.
WITH stopped AS MATERIALIZED (
    SELECT r.owner_id, r.id, r.ended_at FROM campaign_contacts r
    WHERE r.owner_id = :owner_id AND r.id = :campaign_contact_id
      AND num_nonnulls(r.stopped_by_user_id, r.stopped_because) > 0
    FOR UPDATE
), run AS (
    UPDATE campaign_contacts r
    SET ended_at = NULL, stopped_by_user_id = NULL, stopped_because = NULL,
        counts_from = coalesce(r.counts_from, r.created_at) + (:now::timestamptz - s.ended_at)
    FROM stopped s
    WHERE r.owner_id = s.owner_id AND r.id = s.id
), step AS MATERIALIZED (
    SELECT c.owner_id, c.id, own.is_dated, own.is_of_birthdays,
           CASE WHEN own.is_dated THEN c.send_at
                ELSE least(c.send_at + (:now::timestamptz - s.ended_at), '9999-12-28Z') END AS send_at,
           w.template_id, a.assigned_user_id, a.is_stopped_on_text_reply
    FROM stopped s
    JOIN contact_communications c ON c.owner_id = s.owner_id AND c.campaign_contact_id = s.id
        AND NOT c.is_active AND c.completed_at = s.ended_at AND c.sent_from_user_id IS NULL
    JOIN campaigns g ON g.id = c.campaign_id
    JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = c.action_id
        AND (a.type = c.type OR a.timed_at IS NOT NULL)  -- else no one knows since when it is another
    JOIN unnest(:action_ids::bigint[], :template_ids::bigint[]) AS w (action_id, template_id)
        ON w.action_id = a.id
    CROSS JOIN LATERAL (
        SELECT coalesce(a.timing_type = 'Exact Date and Time' OR a.trigger_type = 2, false) AS is_dated,
               coalesce(a.trigger_type = 2, false) AS is_of_birthdays) own
), resumed AS (
    UPDATE contact_communications c
    SET is_active = true, completed_at = NULL, completing_user_id = NULL, taken_at = NULL, is_held = false,
        send_at = x.send_at, template_id = x.template_id, assigned_user_id = x.assigned_user_id,
        is_stopped_on_text_reply = x.is_stopped_on_text_reply
    FROM step x WHERE c.owner_id = x.owner_id AND c.id = x.id AND (x.send_at >= :now OR NOT x.is_dated)
), said AS (
    UPDATE messages m
    SET reason = CASE WHEN x.send_at >= :now OR NOT x.is_dated
                      THEN 'it was stopped and set going again; it is sent at its moment'
                      ELSE :passed END
    FROM step x WHERE m.owner_id = x.owner_id AND m.communication_id = x.id AND m.state = 'suppressed'
), task AS (
    UPDATE tasks t
    SET status = 'incomplete', modified_at = :now, due_at = x.due_at, recurs_at = CASE WHEN x.recurs THEN x.due_at END
    FROM (SELECT t.owner_id, t.id, a.recurrence IS NOT NULL AS recurs,
                 CASE WHEN a.timing_type IN ('Exact Date and Time', 'Recurring') THEN t.due_at
                      ELSE least(t.due_at + (:now - s.ended_at), '9999-12-28Z') END AS due_at
          FROM stopped s
          JOIN tasks t ON t.owner_id = s.owner_id AND t.campaign_contact_id = s.id AND t.status = 'deleted'
              AND t.modified_at = s.ended_at
          JOIN campaign_contacts r ON r.owner_id = s.owner_id AND r.id = s.id
          JOIN campaigns g ON g.id = r.campaign_id
          JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.id = t.campaign_action_id) x
    WHERE t.owner_id = x.owner_id AND t.id = x.id
)
SELECT s.owner_id, s.id, x.id AS communication_id
FROM stopped s LEFT JOIN step x ON x.is_of_birthdays AND x.send_at < :now
