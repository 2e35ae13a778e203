-- Returns a row while a code can make the first administrator. :code_hash is a sha256.
SELECT true FROM setup_codes WHERE code_hash = :code_hash AND expires_at > now() AND NOT EXISTS (SELECT FROM users)
