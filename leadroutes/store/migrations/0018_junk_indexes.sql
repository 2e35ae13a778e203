-- Indexes of migration 0018 on large tables; they are built while others write.
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_closed ON leads (owner_id, id) WHERE is_closed;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_junk ON leads (owner_id, id) WHERE junk_reason IS NOT NULL;
-- Offers that are over and of which the member was never notified: what has passed a member by.
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_passed_over ON offers (user_id, closed_at) WHERE notified_at IS NULL AND state IN ('skipped', 'withdrawn', 'lost');
