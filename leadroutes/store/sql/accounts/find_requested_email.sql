-- Returns a row while a requested e-mail change can still be confirmed.
SELECT true FROM email_changes WHERE id = :email_change_id AND expires_at > now()
