-- Counts an owner's rows again, whatever the counters and the results of steps were.
SELECT recount(:owner_id), recount_step_results(:owner_id)
