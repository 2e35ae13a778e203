-- Notes which page answered a form. :token_hash is a sha256.
UPDATE used_forms SET path = :path WHERE token_hash = :token_hash
