-- Moves steps of an action that have not left to other moments, also those that an earlier move has ended: these are by
-- now as the action says. What waits in the queue for a moment is called back first. The lists are of equal length.
-- planner: short array, evaluation order
WITH action AS (
    SELECT a.* FROM campaigns g JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.campaign_id = g.id
    WHERE g.id = :campaign_id AND a.id = :action_id
), given AS MATERIALIZED (
    SELECT * FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[], :moments::timestamptz[],
                         :template_ids::bigint[]) AS x (owner_id, id, moment, template_id)
), called_back AS MATERIALIZED (
    UPDATE messages m SET state = 'suppressed', leaves_at = NULL, reason = 'it was moved; it is sent at its moment'
    FROM given x
    WHERE m.owner_id = x.owner_id AND m.communication_id = x.id AND m.state = 'queued' AND m.leaves_at IS NOT NULL
    RETURNING m.communication_id
), moved AS (
    UPDATE contact_communications s
    SET send_at = x.moment, is_active = true, completed_at = NULL, completing_user_id = NULL, taken_at = NULL,
        is_held = false, template_id = x.template_id, assigned_user_id = a.assigned_user_id,
        is_stopped_on_text_reply = a.is_stopped_on_text_reply
    FROM action a CROSS JOIN given x
    WHERE s.owner_id = x.owner_id AND s.id = x.id
      AND (s.taken_at IS NULL OR s.is_held OR NOT s.is_active
           OR s.id = ANY (ARRAY(SELECT communication_id FROM called_back)))
    RETURNING s.owner_id, s.id
)
UPDATE messages m SET reason = 'it was moved; it is sent at its moment'
FROM moved WHERE m.owner_id = moved.owner_id AND m.communication_id = moved.id AND m.state = 'suppressed'
