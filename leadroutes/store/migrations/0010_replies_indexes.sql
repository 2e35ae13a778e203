-- Indexes of migration 0010 on large tables; they are built while others write.
-- Who has a phone, in all accounts.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_identities_phone ON contact_identities (value, owner_id) WHERE kind = 'phone';
-- Who has stopped texts, in all accounts.
CREATE INDEX CONCURRENTLY IF NOT EXISTS suppressions_stopped ON suppressions (digest, owner_id) WHERE channel = 'text' AND reason = 'stopped';
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_event ON messages (owner_id, event_id) WHERE event_id IS NOT NULL;
-- Whether a number was ever sent a text.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_texted ON messages (address) WHERE channel = 'text' AND sent_at IS NOT NULL;
