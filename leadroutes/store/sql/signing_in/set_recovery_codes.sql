-- Replaces a user's recovery codes. :code_hashes are sha256.
WITH old AS (
    DELETE FROM recovery_codes WHERE user_id = :user_id AND code_hash <> ALL (:code_hashes::bytea[])
)
INSERT INTO recovery_codes (user_id, code_hash) SELECT :user_id, unnest(:code_hashes::bytea[])
