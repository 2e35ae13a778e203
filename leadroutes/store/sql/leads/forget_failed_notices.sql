-- Removes the marks of offers whose failed alerts have been looked at, in the transaction that has locked them.
DELETE FROM failed_notices f
USING unnest(:owner_ids::bigint[], :offer_ids::bigint[]) AS x (owner_id, offer_id)
WHERE f.owner_id = x.owner_id AND f.offer_id = x.offer_id
