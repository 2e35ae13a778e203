-- Notes each moment at which something due was done, so that its transaction's commit can be looked up even when the rows have
-- been changed again since.
CREATE TABLE bench_done (at timestamptz PRIMARY KEY);
CREATE FUNCTION bench_note_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench_done SELECT DISTINCT notified_at FROM fresh WHERE notified_at IS NOT NULL ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER bench_note AFTER UPDATE ON offers REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION bench_note_offers();
CREATE FUNCTION bench_note_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench_done SELECT DISTINCT taken_at FROM fresh WHERE taken_at IS NOT NULL ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER bench_note AFTER UPDATE ON contact_communications REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION bench_note_steps();
