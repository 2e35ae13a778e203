-- Deletes the fault of a channel that works again, and returns a row where there was one.
DELETE FROM channel_faults WHERE channel = :channel RETURNING true
