-- Removes the browsers of a user beyond the newest :most.
DELETE FROM push_subscriptions
WHERE id IN (SELECT id FROM push_subscriptions WHERE user_id = :user_id ORDER BY created_at DESC, id DESC OFFSET :most)
