-- Indexes of migration 0021 on large tables; they are built while others write.
-- Steps in the order in which they are looked at: at their moment, or when what holds them ends.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_next ON contact_communications (coalesce(waits_until, send_at), send_at) WHERE is_active AND taken_at IS NULL;
-- What waits: for a contact, and in a campaign.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_held ON contact_communications (owner_id, contact_id) WHERE is_active AND taken_at IS NULL AND waits_until IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_held_by_campaign ON contact_communications (campaign_id, id) WHERE is_active AND taken_at IS NULL AND waits_until IS NOT NULL;
-- The calendar: what is to leave, and what has left.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_to_come ON contact_communications (owner_id, coalesce(waits_until, send_at), type) WHERE is_active;
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_gone ON contact_communications (owner_id, completed_at, type) WHERE sent_from_user_id IS NOT NULL;
