-- Stores how far a changed action has been carried over to those for whom it has something to come.
INSERT INTO changed_actions (owner_id, campaign_id, action_id, changed, changed_at, is_removed, removed_by, part,
                             after_at, after_id, left_count)
SELECT g.owner_id, g.id, :action_id, :changed::text[], :changed_at, :is_removed, :removed_by, :part, :after_at,
       :after_id, :left_count
FROM campaigns g WHERE g.id = :campaign_id
ON CONFLICT (owner_id, campaign_id, action_id) DO UPDATE
    SET changed = excluded.changed, changed_at = excluded.changed_at, is_removed = excluded.is_removed,
        removed_by = excluded.removed_by, part = excluded.part, after_at = excluded.after_at,
        after_id = excluded.after_id, left_count = excluded.left_count, done_at = NULL
