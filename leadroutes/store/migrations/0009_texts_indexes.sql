-- Indexes of migration 0009 on a large table; they are built while others write.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_provider ON messages (provider_id) WHERE provider_id IS NOT NULL;
-- Texts of which the provider has not said for good what became of them, by when it is asked.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_asking ON messages (asks_at) WHERE asks_at IS NOT NULL;
-- The texts of a day that the provider has taken or refused, of an owner and of the installation.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_texts ON messages (owner_id, created_at) WHERE channel = 'text' AND num_nonnulls(provider_id, error_code) > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_all_texts ON messages (created_at) WHERE channel = 'text' AND num_nonnulls(provider_id, error_code) > 0;
-- Messages that wait for a moment, the first one first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_leaving ON messages (leaves_at) WHERE leaves_at IS NOT NULL;
