-- Adds the tokens of claim links, with the channels that carry them. :token_hashes are sha256s.
INSERT INTO claim_tokens (token_hash, owner_id, offer_id, via, created_at)
SELECT token_hash, owner_id, offer_id, via, :now
FROM unnest(:owner_ids::bigint[], :offer_ids::bigint[], :token_hashes::bytea[], :channels::text[]) AS x (owner_id,
    offer_id, token_hash, via)
