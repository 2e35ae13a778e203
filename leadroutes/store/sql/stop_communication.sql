-- $1 owner, $2 communication, $3 now, $4 who did it.
UPDATE contact_communications SET is_active = false, completed_at = $3, completing_user_id = $4
WHERE owner_id = $1 AND id = $2
