-- Adds deliveries (a JSON list) in the order of the list, for those webhooks that are still switched on, and returns
-- owner_id and id of each with was_idle: that nothing was due there before, so that a worker has to be woken. The
-- webhooks are locked in the order of their ids, before the first delivery gets its number.
-- planner: per-row lookup, short list
WITH delivery AS MATERIALIZED (
    SELECT x.*, row_number() OVER () AS place FROM json_to_recordset(:records::json) AS x (
        owner_id bigint, webhook_id bigint, type text, data text, lead_id bigint, contact_id bigint)
), wanted AS MATERIALIZED (
    SELECT owner_id, webhook_id FROM delivery GROUP BY owner_id, webhook_id ORDER BY owner_id, webhook_id
), held AS MATERIALIZED (
    SELECT w.owner_id, w.id, coalesce(w.due_at > clock_timestamp(), true) AS was_idle,
           date_trunc('milliseconds', clock_timestamp()) AS due_at
    FROM wanted CROSS JOIN LATERAL (
        SELECT w.owner_id, w.id, w.due_at FROM webhooks w
        WHERE w.owner_id = wanted.owner_id AND w.id = wanted.webhook_id AND w.is_active
        FOR NO KEY UPDATE) w
), marked AS (
    UPDATE webhooks w SET due_at = x.due_at
    FROM (SELECT * FROM (SELECT * FROM held WHERE was_idle LIMIT (SELECT count(*) FROM held)) x
          LIMIT (SELECT count(*) FROM held)) x
    WHERE w.owner_id = x.owner_id AND w.id = x.id
), added AS (
    INSERT INTO webhook_deliveries (owner_id, webhook_id, type, at, data, lead_id, contact_id, due_at)
    SELECT d.owner_id, d.webhook_id, d.type, :now::timestamptz, d.data, d.lead_id, d.contact_id, held.due_at
    FROM delivery d JOIN held ON held.owner_id = d.owner_id AND held.id = d.webhook_id
    ORDER BY d.place
    RETURNING owner_id, id, webhook_id
)
SELECT added.owner_id, added.id, held.was_idle
FROM added JOIN held ON held.owner_id = added.owner_id AND held.id = added.webhook_id
