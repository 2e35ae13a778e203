--------------------------------------------------------------------- edits of campaigns that are still carried over

-- An action of a campaign that was added, changed or removed, and has not been carried over yet to everyone for whom it
-- has something to come: the worker does it in batches, and what is not carried over does not leave. One row for each
-- action: who changes it again begins from the first contact.
CREATE TABLE changed_actions (
    owner_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    action_id bigint NOT NULL,                       -- it may have been removed
    changed text[] COLLATE "C" NOT NULL DEFAULT '{}',    -- columns of the action that differ
    changed_at timestamptz NOT NULL,                 -- what is past by then is past for everyone
    is_removed boolean NOT NULL DEFAULT false,
    removed_by bigint REFERENCES users ON DELETE SET NULL,
    part text COLLATE "C" NOT NULL CHECK (part IN ('messages', 'tasks', 'runs')),
    after_at timestamptz,                            -- of the part: up to here it is done
    after_id bigint NOT NULL,
    left_count integer NOT NULL,                     -- how many are to be looked at
    done_at timestamptz,                             -- a campaign that stood still for a contact by then looks again
    PRIMARY KEY (owner_id, campaign_id, action_id),
    FOREIGN KEY (owner_id, campaign_id) REFERENCES campaigns (owner_id, id) ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE INDEX changed_actions_open ON changed_actions (action_id) WHERE done_at IS NULL;

-- The messages of steps are found from the steps, however few there were when it was planned; a step that has not been
-- taken has none that anyone is sending.
CREATE OR REPLACE FUNCTION end_steps(ids bigint[], moment timestamptz, who bigint, why text) RETURNS bigint LANGUAGE sql
BEGIN ATOMIC
    WITH held AS MATERIALIZED (
        SELECT m.id FROM (
            SELECT m.owner_id, m.id FROM contact_communications c
            CROSS JOIN LATERAL (
                SELECT m.owner_id, m.id FROM messages m
                WHERE c.taken_at IS NOT NULL AND m.owner_id = c.owner_id AND m.communication_id = c.id
                OFFSET 0) m
            WHERE c.id = ANY (ids)
            ORDER BY m.owner_id, m.id
            OFFSET 0) x
        CROSS JOIN LATERAL (
            SELECT m.id FROM messages m WHERE m.owner_id = x.owner_id AND m.id = x.id
            OFFSET 0
            FOR NO KEY UPDATE) m
    ), ended AS (
        UPDATE contact_communications c SET is_active = false, completed_at = moment, completing_user_id = who
        WHERE c.id = ANY (ids) AND c.is_active AND (SELECT count(*) FROM held) >= 0  -- so that the locks come first
        RETURNING c.*
    ), noted AS (
        INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, state, reason, created_at)
        SELECT e.owner_id, 'campaign',
               CASE e.type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
               e.lead_id, e.contact_id, e.id, 'suppressed',
               concat_ws(' by ', why, (SELECT display_name(u) FROM users u WHERE u.id = who)), moment
        FROM ended e
        ORDER BY e.send_at, e.id
        ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
            SET state = 'suppressed', reason = excluded.reason
            WHERE messages.state IN ('queued', 'suppressed')
    )
    SELECT count(*) FROM ended;
END;

-- A user who has moved to another time zone: what waits for contacts whose own is not known is looked at again by the
-- worker, in batches, for each owner whose messages go in the name of the user.
CREATE TABLE changed_time_zones (
    owner_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    after_id bigint NOT NULL DEFAULT 0               -- what waits for contacts up to this one has been looked at again
);
CREATE OR REPLACE FUNCTION look_at_senders_steps_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changed_time_zones (owner_id)
    SELECT o.owner_id
    FROM (SELECT NEW.id AS owner_id UNION SELECT t.user_id FROM teammates t WHERE t.teammate_id = NEW.id) o
    ORDER BY o.owner_id
    ON CONFLICT (owner_id) DO UPDATE SET after_id = 0;
    PERFORM pg_notify('leadroutes_wake', '');
    RETURN NULL;
END $$;
