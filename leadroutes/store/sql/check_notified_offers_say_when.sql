-- An offer that somebody can claim was told to him, and one that is scheduled was not.
SELECT owner_id, lead_id, user_id, state, notified_at
FROM offers
WHERE (state IN ('notified', 'expired', 'declined') AND notified_at IS NULL)
   OR (state IN ('scheduled', 'withdrawn') AND notified_at IS NOT NULL)
