-- Ends tasks of an action that was removed; what was due by :since is the agent's, and has no successor. Returns the
-- contact of each that ends; without :is_written it is only looked at.
-- planner: per-row lookup
WITH task AS MATERIALIZED (
    SELECT t.* FROM unnest(:task_ids::bigint[]) AS x (id)
    CROSS JOIN LATERAL (SELECT * FROM tasks t WHERE t.id = x.id AND t.status = 'incomplete' OFFSET 0) t
), ended AS (
    UPDATE tasks t SET status = 'deleted', recurs_at = NULL, modified_at = :now
    FROM task x
    WHERE :is_written::boolean AND t.owner_id = x.owner_id AND t.id = x.id AND t.status = 'incomplete'
      AND t.due_at > :since::timestamptz
), last AS (
    UPDATE tasks t SET recurs_at = NULL
    FROM task x
    WHERE :is_written AND t.owner_id = x.owner_id AND t.id = x.id AND t.due_at <= :since AND t.recurs_at IS NOT NULL
)
SELECT contact_owner_id AS owner_id, contact_id, false AS is_message, id FROM task WHERE due_at > :since
