-- Returns the owner of the lead that a user was offered; nothing for another user's offer, or one that has not been
-- notified.
SELECT owner_id FROM offers
WHERE user_id = :user_id AND id = :offer_id AND notified_at IS NOT NULL AND state <> 'withdrawn'
