-- Adds up to :most changes up in the results of steps. Returns how many.
SELECT fold_step_results(:most)
