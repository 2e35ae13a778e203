-- :user_id user, :offer_id offer. Whose lead this offer of his is of; nothing where it is not his or he was never told.
SELECT owner_id FROM offers WHERE user_id = :user_id AND id = :offer_id AND notified_at IS NOT NULL AND state <> 'withdrawn'
