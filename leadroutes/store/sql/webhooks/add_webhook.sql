-- Adds a webhook and returns its id. :events may be null: all.
INSERT INTO webhooks (owner_id, url, events, format, is_active, secret, created_at, modified_at)
VALUES (:owner_id, :url, :events::text[], :format, :is_active, :secret, :now::timestamptz, :now)
RETURNING id
