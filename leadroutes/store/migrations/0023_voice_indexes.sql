-- Which templates are variants of a step.
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_actions_divided ON campaign_actions (owner_id) WHERE variants IS NOT NULL;
