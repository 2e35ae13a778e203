-- :user_id user, :application_id application, :scope scope, :code_hash sha256 of the code, :redirect_uri redirect_uri, :code_challenge code_challenge, :lifetime its life.
-- Codes that ended a day ago go at the same time: until then a second use still ends what was made from them.
WITH ended AS (
    DELETE FROM authorization_codes WHERE expires_at < now() - interval '1 day'
), consent AS (
    INSERT INTO grants (user_id, application_id, scope) VALUES (:user_id, :application_id, :scope) RETURNING id
)
INSERT INTO authorization_codes (code_hash, grant_id, redirect_uri, code_challenge, expires_at)
SELECT :code_hash, consent.id, :redirect_uri, :code_challenge, now() + :lifetime::interval FROM consent
