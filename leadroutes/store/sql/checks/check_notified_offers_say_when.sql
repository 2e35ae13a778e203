-- An offer that can be claimed was notified, a scheduled one was not, and one withdrawn after that has a reason.
SELECT owner_id, lead_id, user_id, state, notified_at
FROM offers
WHERE (state IN ('notified', 'expired', 'declined') AND notified_at IS NULL)
   OR (state = 'scheduled' AND notified_at IS NOT NULL)
   OR (state = 'withdrawn' AND notified_at IS NOT NULL AND reason IS NULL)
