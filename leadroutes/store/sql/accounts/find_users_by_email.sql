-- Returns the users with these e-mails (in lower case).
SELECT id, lower(email) AS email FROM users WHERE lower(email) = ANY (:emails::text[])
