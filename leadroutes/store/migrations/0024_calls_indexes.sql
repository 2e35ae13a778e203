-- Indexes of migration 0024 on large tables; they are built while others write.
-- The calls that a user was asked for and has not made yet.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_calls ON contact_communications (asked_user_id) WHERE is_active AND asked_user_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_due_call ON messages (owner_id, due_call_id) WHERE due_call_id IS NOT NULL;
