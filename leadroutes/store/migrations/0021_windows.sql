------------------------------------------------------------------------------------------------ windows of campaigns

-- When steps may leave, in the contact's time: as JSON, {"weekly_hours": {…}}; null: at any time. That of an action
-- counts in place of its campaign's.
ALTER TABLE campaigns
    ADD COLUMN send_window json,
    ADD COLUMN first_answer_minutes integer NOT NULL DEFAULT 0;
ALTER TABLE campaign_actions ADD COLUMN send_window json;

-- The moment of a step is send_at, and stays. waits_until is a hint: when the step is looked at again. It is null where
-- nothing has held it yet, or where what held it has changed. The version before does not know it, and looks at once.
ALTER TABLE contact_communications
    ADD COLUMN waits_until timestamptz,
    ADD COLUMN waits_rule text COLLATE "C",
    ADD COLUMN waits_text text COLLATE "C",
    ADD COLUMN late_from timestamptz;                -- when it was set going again by hand: it is not late before

-- A step with another moment or another contact, or that goes on after a stop, is looked at anew.
CREATE FUNCTION look_at_step_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.waits_until := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER look_at_step_again BEFORE UPDATE OF send_at, contact_id, is_active ON contact_communications
    FOR EACH ROW WHEN (OLD.waits_until IS NOT NULL AND (OLD.send_at <> NEW.send_at OR OLD.contact_id <> NEW.contact_id
        OR NEW.is_active AND NOT OLD.is_active))
    EXECUTE FUNCTION look_at_step_again();

-- What waits for a contact is looked at again: steps, and messages of campaigns that wait for hours.
CREATE FUNCTION look_at_contact_again(owner bigint, contact bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    waited boolean;
BEGIN
    UPDATE contact_communications SET waits_until = NULL
    WHERE owner_id = owner AND contact_id = contact AND is_active AND taken_at IS NULL AND waits_until IS NOT NULL;
    waited := FOUND;
    UPDATE messages SET leaves_at = created_at
    WHERE owner_id = owner AND contact_id = contact AND kind = 'campaign' AND state = 'queued'
      AND leaves_at IS NOT NULL;
    IF waited OR FOUND THEN
        PERFORM pg_notify('leadroutes_wake', '');
    END IF;
END $$;

CREATE FUNCTION look_at_addressee_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM look_at_contact_again(OLD.owner_id, OLD.contact_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM look_at_contact_again(NEW.owner_id, NEW.contact_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER look_at_addressee_again AFTER INSERT OR DELETE OR UPDATE OF zip, state, contact_id ON contact_addresses
    FOR EACH ROW EXECUTE FUNCTION look_at_addressee_again();

CREATE FUNCTION look_at_changed_contact_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM look_at_contact_again(NEW.owner_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER look_at_changed_contact_again AFTER UPDATE OF time_zone, mobile_phone, assigned_user_id ON contacts
    FOR EACH ROW WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone
        OR OLD.mobile_phone IS DISTINCT FROM NEW.mobile_phone
        OR OLD.assigned_user_id IS DISTINCT FROM NEW.assigned_user_id)
    EXECUTE FUNCTION look_at_changed_contact_again();

-- A campaign whose windows have changed: the worker looks at its waiting steps again, in batches.
CREATE TABLE changed_windows (
    owner_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    after_id bigint NOT NULL DEFAULT 0,              -- the steps up to this one have been looked at again
    PRIMARY KEY (owner_id, campaign_id),
    FOREIGN KEY (owner_id, campaign_id) REFERENCES campaigns (owner_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);

CREATE FUNCTION note_changed_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'campaigns' THEN
        INSERT INTO changed_windows VALUES (NEW.owner_id, NEW.id)
            ON CONFLICT (owner_id, campaign_id) DO UPDATE SET after_id = 0;
    ELSE
        -- Waits for those who hold steps by the window that was, see lock_windows.
        PERFORM FROM campaigns WHERE owner_id = NEW.owner_id AND id = NEW.campaign_id FOR NO KEY UPDATE;
        INSERT INTO changed_windows VALUES (NEW.owner_id, NEW.campaign_id)
            ON CONFLICT (owner_id, campaign_id) DO UPDATE SET after_id = 0;
    END IF;
    PERFORM pg_notify('leadroutes_wake', '');
    RETURN NULL;
END $$;
CREATE TRIGGER note_changed_window AFTER UPDATE OF send_window, first_answer_minutes ON campaigns
    FOR EACH ROW WHEN (OLD.send_window::text IS DISTINCT FROM NEW.send_window::text
        OR OLD.first_answer_minutes <> NEW.first_answer_minutes)
    EXECUTE FUNCTION note_changed_window();
CREATE TRIGGER note_changed_window AFTER UPDATE OF send_window ON campaign_actions
    FOR EACH ROW WHEN (OLD.send_window::text IS DISTINCT FROM NEW.send_window::text)
    EXECUTE FUNCTION note_changed_window();

-- Whoever moves to another time zone: windows are in the sender's time where the contact's is not known.
CREATE FUNCTION look_at_senders_steps_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contact_communications s SET waits_until = NULL
    FROM (SELECT NEW.id AS owner_id UNION SELECT t.user_id FROM teammates t WHERE t.teammate_id = NEW.id) o,
         contacts c
    WHERE s.owner_id = o.owner_id AND s.is_active AND s.taken_at IS NULL AND s.waits_until IS NOT NULL
      AND c.owner_id = s.owner_id AND c.id = s.contact_id AND c.time_zone IS NULL;
    IF FOUND THEN
        PERFORM pg_notify('leadroutes_wake', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER look_at_senders_steps_again AFTER UPDATE OF timezone ON users
    FOR EACH ROW WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone) EXECUTE FUNCTION look_at_senders_steps_again();

-- How many campaign mails each sender has sent within the last hour, by minutes of real time, where that is limited.
CREATE TABLE mail_paces (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent jsonb NOT NULL DEFAULT '[]',                -- [[minute since 1970, number], …]
    last_turn timestamptz                            -- real time until which others wait already
);
