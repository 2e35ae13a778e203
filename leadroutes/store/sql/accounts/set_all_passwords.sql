-- Sets the same password hash for every user, as the demonstration does.
UPDATE users SET password_hash = :password_hash
