-- Takes queued messages whose moment has come, the first one first, and those of one moment in the order of their ids.
-- Those of an action of a campaign whose change is still carried over wait for that.
-- planner: short array, scalar lookup
WITH due AS (
    SELECT owner_id, id, leaves_at FROM messages m
    WHERE leaves_at <= :now::timestamptz AND id <> ALL (:excluded::bigint[])
      AND ((SELECT true FROM changed_actions x WHERE x.done_at IS NULL LIMIT 1) IS NULL OR m.communication_id IS NULL
           OR coalesce((SELECT s.action_id FROM contact_communications s
                        WHERE s.owner_id = m.owner_id AND s.id = m.communication_id), 0)
              <> ALL (ARRAY(SELECT x.action_id FROM changed_actions x WHERE x.done_at IS NULL)))
    ORDER BY leaves_at LIMIT :most
    FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE messages m SET leaves_at = NULL
    FROM due WHERE m.owner_id = due.owner_id AND m.id = due.id
    RETURNING m.owner_id, m.id, m.kind, m.state, due.leaves_at
)
SELECT owner_id, id, kind, state, leaves_at AS due_at FROM taken
ORDER BY leaves_at, id
