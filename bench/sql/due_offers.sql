-- For pgbench: notifies 500 scheduled offers, the earliest first, in one statement: it locks the lead's row and adds a
-- message and a job for each.
WITH due AS (
    SELECT o.owner_id, o.id, o.lead_id, o.user_id FROM offers o
    JOIN leads l ON l.owner_id = o.owner_id AND l.id = o.lead_id
    WHERE o.state = 'scheduled' ORDER BY o.notify_at LIMIT 500 FOR NO KEY UPDATE OF l SKIP LOCKED
), notified AS (
    UPDATE offers o SET state = 'notified', notified_at = now() FROM due WHERE o.owner_id = due.owner_id AND o.id = due.id
), message AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
    SELECT owner_id, 'offer', 'email', lead_id, id, user_id, now() FROM due
    ON CONFLICT DO NOTHING
    RETURNING owner_id, id
), job AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, status)
    SELECT 0, 'deliver', convert_to('{"owner_id":' || owner_id || ',"id":' || id || '}', 'UTF8'), now(), 'queued' FROM message
    RETURNING id
)
INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) SELECT id, 'queued', 0, 'deliver' FROM job;
