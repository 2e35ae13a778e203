-- Issues an access token and a refresh token of a grant, and marks what they were exchanged for: an authorization code
-- (:used_code_hash) or a refresh token (:replaced_token_hash); the other one is null. All hashes are sha256s. The use
-- of a refresh token ends the token that it was issued for and the others issued for the same one. The grant's expired
-- refresh tokens, and access tokens that expired more than a day ago, are deleted.
WITH used AS (
    UPDATE authorization_codes SET used_at = now() WHERE code_hash = :used_code_hash
), replaced AS (
    UPDATE refresh_tokens SET replaced_at = now() WHERE token_hash = :replaced_token_hash AND replaced_at IS NULL
), parent AS (
    SELECT parent_hash FROM refresh_tokens WHERE token_hash = :replaced_token_hash AND parent_hash IS NOT NULL
), siblings AS (
    UPDATE refresh_tokens r SET ended_at = now()
    FROM parent
    WHERE r.grant_id = :grant_id AND r.ended_at IS NULL AND r.token_hash <> :replaced_token_hash
      AND (r.parent_hash = parent.parent_hash OR r.token_hash = parent.parent_hash)
), ended AS (
    DELETE FROM access_tokens WHERE grant_id = :grant_id AND expires_at < now() - interval '1 day'
), over AS (
    DELETE FROM refresh_tokens
    WHERE grant_id = :grant_id AND expires_at < now() AND token_hash IS DISTINCT FROM :replaced_token_hash
), refresh AS (
    INSERT INTO refresh_tokens (token_hash, grant_id, expires_at, parent_hash)
    VALUES (:refresh_token_hash, :grant_id, now() + :refresh_lifetime::interval, :replaced_token_hash)
)
INSERT INTO access_tokens (user_id, application_id, grant_id, token_hash, scope, expires_at)
SELECT g.user_id, g.application_id, g.id, :access_token_hash, :scope, now() + :access_lifetime::interval FROM grants g
WHERE g.id = :grant_id
