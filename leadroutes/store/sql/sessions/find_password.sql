-- :email e-mail, in lower case. The account that signs in with it; password_hash null: it cannot.
SELECT id, password_hash FROM users WHERE lower(email) = :email AND is_active
