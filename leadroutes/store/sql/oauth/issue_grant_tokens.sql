-- $1 grant, $2 scope of the access token, $3 its sha256, $4 its life, $5 sha256 of the refresh token, $6 its life,
-- $7 sha256 of the code that is used up (or null), $8 sha256 of the refresh token that is replaced (or null).
-- Once a refresh token is used, the one that it was given for and all others that were given for that one end.
-- Access tokens of the grant that ended a day ago, and refresh tokens that ended, go at the same time.
WITH used AS (
    UPDATE authorization_codes SET used_at = now() WHERE code_hash = $7
), replaced AS (
    UPDATE refresh_tokens SET replaced_at = now() WHERE token_hash = $8 AND replaced_at IS NULL
), parent AS (
    SELECT parent_hash FROM refresh_tokens WHERE token_hash = $8 AND parent_hash IS NOT NULL
), siblings AS (
    UPDATE refresh_tokens r SET ended_at = now()
    FROM parent
    WHERE r.grant_id = $1 AND r.ended_at IS NULL AND r.token_hash <> $8
      AND (r.parent_hash = parent.parent_hash OR r.token_hash = parent.parent_hash)
), ended AS (
    DELETE FROM access_tokens WHERE grant_id = $1 AND expires_at < now() - interval '1 day'
), over AS (
    DELETE FROM refresh_tokens WHERE grant_id = $1 AND expires_at < now() AND token_hash IS DISTINCT FROM $8
), refresh AS (
    INSERT INTO refresh_tokens (token_hash, grant_id, expires_at, parent_hash) VALUES ($5, $1, now() + $6::interval, $8)
)
INSERT INTO access_tokens (user_id, application_id, grant_id, token_hash, scope, expires_at)
SELECT g.user_id, g.application_id, g.id, $3, $2, now() + $4::interval FROM grants g WHERE g.id = $1
