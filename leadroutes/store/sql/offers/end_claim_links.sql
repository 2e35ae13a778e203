-- Deletes the claim links in alerts to a user.
DELETE FROM claim_tokens t USING offers o
WHERE o.user_id = :user_id AND t.owner_id = o.owner_id AND t.offer_id = o.id
