-- Returns the offer that a claim link belongs to, and the channel that carried it; nothing once the account is closed,
-- or the offer was withdrawn because the member left the team. :token_hash is a sha256.
SELECT t.owner_id, t.offer_id, t.via
FROM claim_tokens t
JOIN offers o ON o.owner_id = t.owner_id AND o.id = t.offer_id
JOIN users u ON u.id = o.user_id AND u.is_active
WHERE t.token_hash = :token_hash AND o.state <> 'withdrawn'
