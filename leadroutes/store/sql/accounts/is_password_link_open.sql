-- Returns a row while a link can set a password.
SELECT true FROM password_links WHERE id = :password_link_id AND used_at IS NULL AND expires_at > now()
