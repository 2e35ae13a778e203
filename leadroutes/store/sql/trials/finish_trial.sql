-- Ends a trial with its result; a second end of the same one changes nothing.
UPDATE rule_trials
SET state = :state, reason = :reason, result = :result::json, finished_at = now(),
    done = CASE WHEN :state = 'finished' THEN total ELSE done END
WHERE owner_id = :owner_id AND id = :trial_id AND state = 'running'
