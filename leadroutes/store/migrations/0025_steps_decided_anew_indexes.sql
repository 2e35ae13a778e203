-- Indexes of migration 0025 on large tables; they are built while others write.
-- Steps that wait, by the version of the rules by which they do. Its condition is its own, so that no other statement takes it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_by_rules ON contact_communications (held_by, send_at) WHERE is_active AND taken_at IS NULL AND held_by > 0;
