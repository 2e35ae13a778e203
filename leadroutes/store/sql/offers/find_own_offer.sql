-- $1 user, $2 offer. Whose lead this offer of his is of; nothing where it is not his or he was never told.
SELECT owner_id FROM offers WHERE user_id = $1 AND id = $2 AND notified_at IS NOT NULL AND state <> 'withdrawn'
