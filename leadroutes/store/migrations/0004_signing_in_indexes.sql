-- Sessions are listed by their user, and ended by their id.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_user ON sessions (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_id ON sessions (id);
