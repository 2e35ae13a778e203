-- Adds a browser that shows notifications to a user, and returns its id. A browser that is known gets new keys, and
-- belongs to this user from now on; it was added just now, too.
INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth, browser)
VALUES (:user_id, :endpoint, :p256dh, :auth, :browser)
ON CONFLICT (endpoint) DO UPDATE
    SET user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth, created_at = now(),
        browser = coalesce(excluded.browser, push_subscriptions.browser)
RETURNING id
