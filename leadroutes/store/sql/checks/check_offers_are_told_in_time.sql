-- Nobody is told of a lead before the moment of his offer.
SELECT owner_id, lead_id, user_id, notify_at, notified_at FROM offers WHERE notified_at < notify_at
