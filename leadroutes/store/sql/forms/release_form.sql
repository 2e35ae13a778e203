-- Lets a form be sent again, because it was refused. :token_hash is a sha256.
DELETE FROM used_forms WHERE token_hash = :token_hash
