-- Indexes of migration 0016 on large tables; they are built while others write.
-- What a member got of an owner, by time.
CREATE INDEX CONCURRENTLY IF NOT EXISTS lead_events_got ON lead_events (owner_id, user_id, at) WHERE kind IN ('claimed', 'assigned');
-- What a member has of an owner, by age.
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_had ON leads (claimed_by_user_id, owner_id, created_at) WHERE claimed_by_user_id IS NOT NULL;
-- The leads of an owner that wait for someone of their line-up to be back.
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_waiting ON offers (owner_id, lead_id) WHERE state = 'scheduled' AND available_from IS NOT NULL;
