-- Indexes of migration 0027 on large tables; they are built while others write.
-- What an inbox begins with, in its order: the offers that a user can claim now, of all that the user ever got, and the calls
-- that the user was asked for and has not made yet.
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_open ON offers (user_id, lead_id) WHERE state = 'notified';
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_asked ON contact_communications (asked_user_id, send_at, id) WHERE is_active AND asked_user_id IS NOT NULL;
