-- $1 owner, $2 offer, $3 sha256 of the token, $4 the channel that carries it, $5 now.
INSERT INTO claim_tokens (token_hash, owner_id, offer_id, via, created_at) VALUES ($3, $1, $2, $4, $5)
