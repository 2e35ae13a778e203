-- Moves what repeats from runs that have ended to the runs that replace them, so that it is not made twice: future
-- birthday steps give way to those of the new run, and an open recurring task replaces the one just made for the new
-- run.
WITH taken_over AS (
    SELECT * FROM unnest(:owner_ids::bigint[], :ended_ids::bigint[], :started_ids::bigint[])
        AS x (owner_id, old_id, new_id)
), replaced AS (
    DELETE FROM contact_communications c USING taken_over x
    WHERE c.owner_id = x.owner_id AND c.campaign_contact_id = x.old_id
      AND c.is_active AND c.taken_at IS NULL AND c.send_at > :now
), moved AS (
    UPDATE tasks t SET campaign_contact_id = x.new_id, modified_at = :now
    FROM taken_over x
    WHERE t.owner_id = x.owner_id AND t.campaign_contact_id = x.old_id AND t.recurs_at IS NOT NULL
    RETURNING t.owner_id, t.campaign_contact_id, t.campaign_action_id
)
DELETE FROM tasks t USING moved m
WHERE t.owner_id = m.owner_id AND t.campaign_contact_id = m.campaign_contact_id
  AND t.campaign_action_id = m.campaign_action_id AND t.recurs_at IS NOT NULL
