-- A personal access token says what it is for, and when it was last used, so that it can be revoked without a guess. A use
-- is noted at most once a minute; real time.
ALTER TABLE access_tokens ADD COLUMN name text, ADD COLUMN last_used_at timestamptz;
