-- Lists the grants that a user has given to an application.
SELECT g.id FROM grants g JOIN applications a ON a.id = g.application_id
WHERE g.user_id = :user_id AND a.client_id = :client_id AND g.revoked_at IS NULL
