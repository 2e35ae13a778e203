-- Notes how many leads of a trial are done.
UPDATE rule_trials SET done = :done WHERE owner_id = :owner_id AND id = :trial_id AND state = 'running'
