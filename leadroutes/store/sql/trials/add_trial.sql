-- Adds a trial and returns its id. One of the owner that has been running for an hour is given up before.
WITH given_up AS (
    UPDATE rule_trials SET state = 'failed', reason = 'it has not ended within an hour', finished_at = now()
    WHERE owner_id = :owner_id AND state = 'running' AND made_at < now() - interval '1 hour'
    RETURNING 1
)
INSERT INTO rule_trials (owner_id, user_id, rule_set, present, drafted, since, until, total, held)
SELECT :owner_id, :user_id, :rule_set, :present::json, :drafted::json, :since, :until, :total, :held
WHERE (SELECT count(*) FROM given_up) >= 0  -- planner: evaluation order
RETURNING id
