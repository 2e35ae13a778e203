-- Moves open tasks of campaigns to other moments; null: the task is not to be done, and is removed, so that it is added
-- again if its action moves on. The lists are of equal length.
WITH given AS (
    SELECT * FROM unnest(:owner_ids::bigint[], :task_ids::bigint[], :moments::timestamptz[]) AS x (owner_id, id, moment)
), removed AS (
    DELETE FROM tasks t USING given x
    WHERE t.owner_id = x.owner_id AND t.id = x.id AND t.status = 'incomplete' AND x.moment IS NULL
)
UPDATE tasks t SET due_at = x.moment, recurs_at = CASE WHEN :repeats::boolean THEN x.moment END, modified_at = :now
FROM given x
WHERE t.owner_id = x.owner_id AND t.id = x.id AND t.status = 'incomplete' AND x.moment IS NOT NULL
