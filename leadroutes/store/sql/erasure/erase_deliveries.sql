-- Deletes the data of deliveries to webhooks that were about the contact, and what receivers answered to them; those
-- that wait are not sent. When and with which status it was sent stays. The webhooks are locked first, as by whoever
-- sends.
WITH held AS MATERIALIZED (
    SELECT id FROM webhooks WHERE owner_id = :owner_id ORDER BY id FOR NO KEY UPDATE
), gone AS (
    UPDATE webhook_deliveries d
    SET data = NULL, due_at = NULL, state = CASE WHEN d.state = 'waiting' THEN 'withdrawn' ELSE d.state END,
        reason = CASE WHEN d.state <> 'delivered' THEN 'the contact was erased' END,
        tries = (SELECT coalesce(jsonb_agg(jsonb_build_object(
                     'at', t -> 'at', 'status', t -> 'status', 'milliseconds', t -> 'milliseconds',
                     'answer', NULL, 'error', NULL)), '[]')
                 FROM jsonb_path_query(d.tries, '$[*]') t)
    FROM held
    WHERE d.owner_id = :owner_id AND d.webhook_id = held.id AND d.contact_id = :contact_id AND d.data IS NOT NULL
    RETURNING 1
)
SELECT count(*) FROM gone
