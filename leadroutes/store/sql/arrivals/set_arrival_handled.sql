-- Marks a rejected arrival as handled, or takes that back; who did it first, and when, stays. Returns its status.
WITH present AS (
    SELECT owner_id, id, status FROM arrivals WHERE owner_id = :owner_id AND id = :arrival_id FOR NO KEY UPDATE
), marked AS (
    UPDATE arrivals a
    SET handled_at = CASE WHEN :is_handled THEN :now::timestamptz END,
        handled_by_user_id = CASE WHEN :is_handled THEN :user_id::bigint END
    FROM present p
    WHERE a.owner_id = p.owner_id AND a.id = p.id AND p.status = 'rejected'
      AND (a.handled_at IS NOT NULL) <> :is_handled
)
SELECT status FROM present
