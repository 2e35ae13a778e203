-- Notes that a session is used, which prolongs it, unless that was done within :pause. :token_hash is a sha256.
UPDATE sessions SET last_used_at = now(), expires_at = now() + :lifetime::interval
WHERE token_hash = :token_hash AND last_used_at < now() - :pause::interval AND expires_at > now()
