-- Adds the installation's only row, if :code_hash (a sha256) is a setup code that is good and there is no user; returns
-- nothing otherwise, or when another one was faster.
INSERT INTO installation (brokerage_name)
SELECT :brokerage_name
WHERE EXISTS (SELECT FROM setup_codes WHERE code_hash = :code_hash AND expires_at > now())
  AND NOT EXISTS (SELECT FROM users)
ON CONFLICT (only_row) DO NOTHING
RETURNING set_up_at
