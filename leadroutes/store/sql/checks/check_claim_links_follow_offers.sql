-- A claim link exists only for an offer that was notified, or whose member was given the lead.
SELECT claim_tokens.owner_id, claim_tokens.offer_id
FROM claim_tokens
JOIN offers ON offers.owner_id = claim_tokens.owner_id AND offers.id = claim_tokens.offer_id
WHERE offers.notified_at IS NULL
  AND NOT EXISTS (
      SELECT FROM messages
      WHERE messages.owner_id = offers.owner_id AND messages.lead_id = offers.lead_id
        AND messages.offer_id = offers.id AND messages.kind = 'won'
  )
