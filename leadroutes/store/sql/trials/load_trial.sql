-- Returns a trial that is to be run; none if it has ended or is not there any more.
SELECT rule_set, present::text AS present, drafted::text AS drafted, since, until, total, held
FROM rule_trials WHERE owner_id = :owner_id AND id = :trial_id AND state = 'running'
