-- :owner_ids owners, :offer_ids offers, :token_hashes sha256s of the tokens, :channels the channels that carry them, :now now.
INSERT INTO claim_tokens (token_hash, owner_id, offer_id, via, created_at)
SELECT token_hash, owner_id, offer_id, via, :now
FROM unnest(:owner_ids::bigint[], :offer_ids::bigint[], :token_hashes::bytea[], :channels::text[]) AS x (owner_id, offer_id, token_hash, via)
