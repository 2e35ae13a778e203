-- Removes a browser whose push service does not know it any more, unless it has been allowed again.
DELETE FROM push_subscriptions WHERE id = :subscription_id AND p256dh = :p256dh AND auth = :auth
