-- Locks a webhook, and returns whether it is switched on, and what has failed there.
SELECT is_active, given_up, failing_since, now() AS real_now FROM webhooks
WHERE owner_id = :owner_id AND id = :webhook_id
FOR NO KEY UPDATE
