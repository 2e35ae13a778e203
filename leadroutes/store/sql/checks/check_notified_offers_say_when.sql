-- An offer that somebody can claim was told to him, one that is scheduled was not, and one that was told is withdrawn for a reason.
SELECT owner_id, lead_id, user_id, state, notified_at
FROM offers
WHERE (state IN ('notified', 'expired', 'declined') AND notified_at IS NULL)
   OR (state = 'scheduled' AND notified_at IS NOT NULL)
   OR (state = 'withdrawn' AND notified_at IS NOT NULL AND reason IS NULL)
