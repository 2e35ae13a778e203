-- $1 sha256 of a claim link's token. Whose offer of which lead it opens, and which channel carried it.
SELECT o.owner_id, o.lead_id, o.user_id, t.via
FROM claim_tokens t
JOIN offers o ON o.owner_id = t.owner_id AND o.id = t.offer_id
WHERE t.token_hash = $1
