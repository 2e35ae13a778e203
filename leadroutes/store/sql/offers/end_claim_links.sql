-- $1 user. The links in alerts to this user lead nowhere any more.
DELETE FROM claim_tokens t USING offers o
WHERE o.user_id = $1 AND t.owner_id = o.owner_id AND t.offer_id = o.id
