-- $1 user, $2 application, $3 scope, $4 sha256 of the code, $5 redirect_uri, $6 code_challenge, $7 its life.
-- Codes that ended a day ago go at the same time: until then a second use still ends what was made from them.
WITH ended AS (
    DELETE FROM authorization_codes WHERE expires_at < now() - interval '1 day'
), consent AS (
    INSERT INTO grants (user_id, application_id, scope) VALUES ($1, $2, $3) RETURNING id
)
INSERT INTO authorization_codes (code_hash, grant_id, redirect_uri, code_challenge, expires_at)
SELECT $4, consent.id, $5, $6, now() + $7::interval FROM consent
