-- A claim link exists only for an offer that somebody was notified of.
SELECT claim_tokens.owner_id, claim_tokens.offer_id
FROM claim_tokens
JOIN offers ON offers.owner_id = claim_tokens.owner_id AND offers.id = claim_tokens.offer_id
WHERE offers.notified_at IS NULL
