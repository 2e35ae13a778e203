-- Lists the browsers that show notifications to a user.
SELECT id, endpoint, p256dh, auth FROM push_subscriptions WHERE user_id = :user_id ORDER BY id
