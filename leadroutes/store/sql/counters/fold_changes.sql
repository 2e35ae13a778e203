-- Adds up to :most changes up in the counters. Returns how many.
SELECT fold_counter_changes(:most)
