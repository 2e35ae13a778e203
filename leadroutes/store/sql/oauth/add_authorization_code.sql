-- Adds a grant with an authorization code, and deletes codes that expired more than a day ago: until then a second use
-- of a code still ends the tokens issued for it. :code_hash is a sha256.
WITH ended AS (
    DELETE FROM authorization_codes WHERE expires_at < now() - interval '1 day'
), consent AS (
    INSERT INTO grants (user_id, application_id, scope) VALUES (:user_id, :application_id, :scope) RETURNING id
)
INSERT INTO authorization_codes (code_hash, grant_id, redirect_uri, code_challenge, expires_at)
SELECT :code_hash, consent.id, :redirect_uri, :code_challenge, now() + :lifetime::interval FROM consent
