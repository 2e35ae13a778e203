-- Adds the successors of recurring tasks; a moment that is null means that there is none.
WITH done AS (
    UPDATE tasks t SET recurs_at = NULL
    FROM unnest(:owner_ids::bigint[], :task_ids::bigint[], :moments::timestamptz[]) AS x (owner_id, id, next_at)
    WHERE t.owner_id = x.owner_id AND t.id = x.id
    RETURNING t.*, x.next_at
)
INSERT INTO tasks (owner_id, contact_id, contact_owner_id, action_type, assigned_user_id, due_at, description, status,
    campaign_contact_id, campaign_action_id, follows_contact, recurs_at, created_at, modified_at)
SELECT owner_id, contact_id, contact_owner_id, action_type, assigned_user_id, next_at, description, 'incomplete',
       campaign_contact_id, campaign_action_id, follows_contact, next_at, :now, :now
FROM done WHERE next_at IS NOT NULL
