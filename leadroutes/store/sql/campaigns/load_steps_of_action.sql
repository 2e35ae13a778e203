-- Returns those of the runs :run_ids of a campaign that go on, each with the communication or the task that an action
-- has made for it, the open one first. With :is_locking the runs are locked. :moved are the reasons of what comes back
-- if it is moved; a task that was due by :since has left. What waits in the queue for a moment has not.
-- planner: per-row lookup
WITH wanted AS MATERIALIZED (
    SELECT id FROM unnest(:run_ids::bigint[]) AS x (id)
), run AS MATERIALIZED (
    SELECT r.* FROM wanted w
    CROSS JOIN LATERAL (
        SELECT r.* FROM campaign_contacts r
        WHERE r.id = w.id AND r.ended_at IS NULL AND r.campaign_id = :campaign_id AND :is_locking::boolean
        OFFSET 0
        FOR NO KEY UPDATE) r
    UNION ALL
    SELECT r.* FROM wanted w
    CROSS JOIN LATERAL (
        SELECT r.* FROM campaign_contacts r
        WHERE r.id = w.id AND r.ended_at IS NULL AND r.campaign_id = :campaign_id AND NOT :is_locking
        OFFSET 0) r
)
SELECT r.owner_id, r.id AS run_id, r.contact_id, r.created_at AS started_at,
       coalesce(r.counts_from, r.created_at) AS counts_from, c.birthday, coalesce(c.time_zone, u.timezone) AS timezone,
       step.*
FROM run r
CROSS JOIN LATERAL (SELECT * FROM contacts c WHERE c.owner_id = r.owner_id AND c.id = r.contact_id OFFSET 0) c
JOIN users u ON u.id = coalesce(c.assigned_user_id, c.owner_id)
LEFT JOIN LATERAL (
    SELECT * FROM (
        (SELECT true AS is_message, s.id, s.type, s.send_at AS moment, s.is_active AS is_open,
                s.is_active AND s.taken_at IS NOT NULL AND NOT s.is_held AND NOT EXISTS (
                    SELECT FROM messages m WHERE m.owner_id = s.owner_id AND m.communication_id = s.id
                                             AND m.state = 'queued' AND m.leaves_at IS NOT NULL) AS has_left,
                NOT s.is_active AND s.sent_from_user_id IS NULL AND EXISTS (
                    SELECT FROM messages m WHERE m.owner_id = s.owner_id AND m.communication_id = s.id
                                             AND m.state = 'suppressed'
                                             AND m.reason = ANY (:moved::text[])) AS was_moved
         FROM contact_communications s
         WHERE s.owner_id = r.owner_id AND s.campaign_contact_id = r.id AND s.action_id = :action_id
         ORDER BY s.is_active DESC, s.id DESC LIMIT 1)
        UNION ALL
        (SELECT false, t.id, t.action_type, t.due_at, t.status = 'incomplete',
                t.status = 'incomplete' AND t.due_at <= :since::timestamptz, false
         FROM tasks t
         WHERE t.owner_id = r.owner_id AND t.campaign_contact_id = r.id AND t.campaign_action_id = :action_id
         ORDER BY t.status = 'incomplete' DESC, t.id DESC LIMIT 1)
    ) made
    ORDER BY is_open DESC, is_message = :are_communications::boolean DESC
    LIMIT 1) step ON true
ORDER BY r.owner_id, r.id
