-- Indexes of migration 0022 on large tables; they are built while others write.
-- What is still to come of an action, for all contacts, when the action changes.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_communications_open ON contact_communications (campaign_id, action_id) WHERE is_active;
CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_open_of_action ON tasks (campaign_action_id) WHERE status = 'incomplete' AND campaign_action_id IS NOT NULL;
-- The contacts who joined a campaign lately, for whom an added step may be still to come.
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_contacts_recent ON campaign_contacts (campaign_id, (coalesce(counts_from, created_at))) WHERE ended_at IS NULL;
