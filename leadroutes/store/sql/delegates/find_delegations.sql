-- Returns, for users who ask to act for owners, what they may do there; no row where they may not. The lists are
-- parallel. :token_hashes are the sha256s of the tokens in use, null in a browser's session: the token of an
-- application needs the scope write and a grant in force, and one lent to a sub-account's broker acts for no one else.
SELECT asked.user_id, asked.owner_id, asked.token_hash, d.role, d.team_id, o.is_broker
FROM unnest(:user_ids::bigint[], :owner_ids::bigint[], :token_hashes::bytea[]) AS asked (user_id, owner_id, token_hash)
JOIN delegates d ON d.owner_id = asked.owner_id AND d.user_id = asked.user_id AND d.accepted_at IS NOT NULL
JOIN users o ON o.id = d.owner_id AND o.is_active
LEFT JOIN access_tokens a ON a.token_hash = asked.token_hash
LEFT JOIN grants g ON g.id = a.grant_id
WHERE (a.application_id IS NULL OR 'write' = ANY (a.scope)) AND g.revoked_at IS NULL
  AND NOT EXISTS (SELECT FROM sub_accounts s WHERE s.token_id = a.id)
