------------------------------------------------------------------------------------------ rules of steps that wait

-- What the settings say about when messages of campaigns leave: of the worker that was started last with others, one
-- version for each change.
CREATE TABLE sending_rules (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL DEFAULT 1,
    rules text COLLATE "C" NOT NULL
);

-- The version by which a step waits; what waits by an earlier one is decided anew. 0: the release before holds it, or
-- nothing has held it yet.
ALTER TABLE contact_communications ADD COLUMN held_by integer NOT NULL DEFAULT 0;
CREATE OR REPLACE FUNCTION look_at_step_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.waits_until := NULL;
    NEW.held_by := 0;
    RETURN NEW;
END $$;

-- The version by which the last turn was given; with other limits it means nothing.
ALTER TABLE mail_paces ADD COLUMN turns_by integer NOT NULL DEFAULT 0;

-- When the timing of an action was changed last, by the domain's clock: a campaign that stood still for a contact then
-- has it carried over once it goes on. Null: before this was noted.
ALTER TABLE campaign_actions ADD COLUMN timed_at timestamptz;
CREATE FUNCTION note_timing_of_action() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (OLD.type, OLD.timing_type, OLD.delay_by_days, OLD.dispatch_time, OLD.delay_by_seconds,
                             OLD.dispatch_datetime, OLD.recurrence, OLD.trigger_type)
        IS DISTINCT FROM (NEW.type, NEW.timing_type, NEW.delay_by_days, NEW.dispatch_time, NEW.delay_by_seconds,
                          NEW.dispatch_datetime, NEW.recurrence, NEW.trigger_type) THEN
        NEW.timed_at := (SELECT k.domain_anchor + (clock_timestamp() - k.real_anchor) * k.scale FROM domain_clock k);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER note_timing_of_action BEFORE INSERT OR UPDATE ON campaign_actions
    FOR EACH ROW EXECUTE FUNCTION note_timing_of_action();
