-- Indexes of migration 0017 on large tables; they are built while others write.
-- The leads on offer that count for whoever was first in line.
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_first ON offers (user_id, owner_id, notified_at) WHERE place = 0 AND state = 'notified';
