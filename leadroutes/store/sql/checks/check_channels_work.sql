-- Every channel that is configured sends its messages.
SELECT channel, reason, since
FROM channel_faults
