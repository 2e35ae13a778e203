-- Records what came of tries (a JSON list) of deliveries that wait; a delivery that was withdrawn meanwhile stays as it
-- is. The webhook is locked. :most is how many tries of a delivery are stored.
-- planner: short list
UPDATE webhook_deliveries d
SET state = x.state, reason = x.reason, tried = d.tried + 1,
    due_at = CASE WHEN x.state = 'waiting'
        THEN date_trunc('milliseconds', now() + make_interval(secs => x.next_after)) END,
    tries = CASE WHEN jsonb_array_length(d.tries) >= :most::int THEN d.tries - 0 ELSE d.tries END
        || jsonb_build_object('at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                              'status', x.status, 'milliseconds', x.milliseconds, 'answer', x.answer, 'error', x.error)
FROM (SELECT * FROM (SELECT * FROM json_to_recordset(:tries::json) AS x (
    id bigint, state text, next_after float8, reason text, status int, milliseconds int, answer text, error text)
    LIMIT json_array_length(:tries::json)) x LIMIT json_array_length(:tries::json)) x
WHERE d.owner_id = :owner_id AND d.id = x.id AND d.state = 'waiting'
