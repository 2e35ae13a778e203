-- Changes a webhook, and returns whether it has been switched on: then what has failed before does not count any more,
-- and whatever waits is due at its moment.
WITH before AS (
    SELECT owner_id, id, is_active FROM webhooks WHERE owner_id = :owner_id AND id = :webhook_id FOR NO KEY UPDATE
)
UPDATE webhooks w
SET url = :url, events = :events::text[], format = :format, is_active = :is_active, modified_at = :now,
    given_up = CASE WHEN turned.is_on THEN 0 ELSE w.given_up END,
    failing_since = CASE WHEN turned.is_on THEN NULL ELSE w.failing_since END,
    disabled_at = CASE WHEN turned.is_on THEN NULL ELSE w.disabled_at END,
    disabled_reason = CASE WHEN turned.is_on THEN NULL ELSE w.disabled_reason END,
    due_at = CASE WHEN turned.is_on THEN now() ELSE w.due_at END
FROM before CROSS JOIN LATERAL (SELECT :is_active::boolean AND NOT before.is_active AS is_on) turned
WHERE w.owner_id = before.owner_id AND w.id = before.id
RETURNING turned.is_on
