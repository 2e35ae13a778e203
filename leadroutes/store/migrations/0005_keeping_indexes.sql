-- Watching and keeping: what figures are counted along, and what the hourly cleaning walks, each no further than it takes.

CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_unclaimed ON leads (unclaimed_at) WHERE unclaimed_at IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_undelivered ON messages (created_at) WHERE state IN ('failed', 'unknown');
CREATE INDEX CONCURRENTLY IF NOT EXISTS arrivals_kept ON arrivals (received_at) WHERE emptied_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_kept ON messages (created_at) WHERE text_body IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idempotency_keys_passing ON idempotency_keys (created_at) WHERE scope LIKE 'body %' OR scope LIKE 'key %';
CREATE INDEX CONCURRENTLY IF NOT EXISTS claim_tokens_created ON claim_tokens (created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_expires ON sessions (expires_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_rule_set ON leads (owner_id, rule_set) WHERE rule_set IS NOT NULL;
