-- $1 user, $2 client_id of an application. What he has allowed it.
SELECT g.id FROM grants g JOIN applications a ON a.id = g.application_id
WHERE g.user_id = $1 AND a.client_id = $2 AND g.revoked_at IS NULL
