-- No member is notified of a lead before the offer's moment.
SELECT owner_id, lead_id, user_id, notify_at, notified_at FROM offers WHERE notified_at < notify_at
