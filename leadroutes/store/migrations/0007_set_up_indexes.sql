-- Indexes of migration 0007 on large tables; they are built while others write.
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_test ON leads (owner_id, id) WHERE is_test;
-- Arrivals by state, as a page lists them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS arrivals_status ON arrivals (owner_id, status, id);
-- The last arrival of each intake key, and what came through it and still waits for someone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS arrivals_key ON arrivals (owner_id, intake_key_id, received_at) WHERE intake_key_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS arrivals_unhandled ON arrivals (owner_id, intake_key_id, id) WHERE status = 'rejected' AND handled_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS intake_keys_old_key ON intake_keys (old_key_hash) WHERE old_key_hash IS NOT NULL;
