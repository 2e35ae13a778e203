-- $1 owners, $2 offers, $3 sha256s of the tokens, $4 the channels that carry them, $5 now.
INSERT INTO claim_tokens (token_hash, owner_id, offer_id, via, created_at)
SELECT token_hash, owner_id, offer_id, via, $5
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::text[]) AS x (owner_id, offer_id, token_hash, via)
