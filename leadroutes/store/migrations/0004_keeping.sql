-- Watching and keeping: what figures are counted along, and what the hourly cleaning walks, each no further than it takes.

CREATE INDEX leads_unclaimed ON leads (unclaimed_at) WHERE unclaimed_at IS NOT NULL;
CREATE INDEX messages_undelivered ON messages (created_at) WHERE state IN ('failed', 'unknown');

ALTER TABLE arrivals ADD COLUMN emptied_at timestamptz;   -- when its body and headers were removed; null: they are kept
CREATE INDEX arrivals_kept ON arrivals (received_at) WHERE emptied_at IS NULL;
CREATE INDEX messages_kept ON messages (created_at) WHERE text_body IS NOT NULL;
CREATE INDEX idempotency_keys_passing ON idempotency_keys (created_at) WHERE scope LIKE 'body %' OR scope LIKE 'key %';
CREATE INDEX claim_tokens_created ON claim_tokens (created_at);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE INDEX leads_rule_set ON leads (owner_id, rule_set) WHERE rule_set IS NOT NULL;

-- One row: when somebody began to clean up. Whoever moves it does this hour's cleaning.
CREATE TABLE cleaning (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    begun_at timestamptz NOT NULL DEFAULT now()      -- real time
);
INSERT INTO cleaning DEFAULT VALUES;
