-- Returns a trial for whoever made it, within the hour.
SELECT state, done, total, since, until, reason, result::text AS result
FROM rule_trials
WHERE owner_id = :owner_id AND id = :trial_id AND user_id = :user_id AND made_at > now() - interval '1 hour'
