-- :channel channel. It works again. Returns a row where a fault was noted.
DELETE FROM channel_faults WHERE channel = :channel RETURNING true
