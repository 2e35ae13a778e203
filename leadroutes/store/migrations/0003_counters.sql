-- Counters of each owner's leads, offers and campaigns, by day, so that no figure is counted from all rows.
--
-- The triggers below are the only writers, so that no statement can forget them. What a statement changes is added to
-- counter_changes, grouped and insert-only, in the same transaction: no two transactions wait for the same counter. The
-- worker adds the changes up in counters; counter_rows is the sum of both at every moment.
--
-- A counter must be the sum of a function of single rows, of which a trigger knows the old and the new state. Therefore
-- counted_leads holds, for each lead, what its counters depend on; offers, runs and messages are counted by themselves.

------------------------------------------------------------------------------------------------- days of an owner

-- The time zone in which an owner's days are counted, and since when. A change of users.timezone counts from a later
-- midnight on, so that no lead ever moves to another day. A zone that PostgreSQL does not know counts as UTC.
CREATE TABLE counting_zones (
    owner_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    since timestamptz NOT NULL,
    timezone text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner_id, since)
);

-- A moment as a clock of the owner shows it.
CREATE FUNCTION owner_time(owner bigint, moment timestamptz) RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
    RETURN moment AT TIME ZONE coalesce((SELECT z.timezone FROM counting_zones z
                                         WHERE z.owner_id = owner AND z.since <= moment
                                         ORDER BY z.since DESC LIMIT 1), 'UTC');

-- Hours since Monday 00:00, 0 to 167.
CREATE FUNCTION hour_of_week(moment timestamp) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((extract(isodow FROM moment) - 1) * 24 + extract(hour FROM moment))::smallint;

-- The name of the zone if PostgreSQL knows it, else UTC.
CREATE FUNCTION known_zone(zone text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE zone;
    RETURN zone;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END $$;

CREATE FUNCTION note_counting_zone() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    zone text := known_zone(NEW.timezone);
    present timestamptz := (SELECT domain_anchor + (clock_timestamp() - real_anchor) * scale FROM domain_clock);
    beginning timestamptz := '-infinity';
BEGIN
    -- An hour ahead, so that every transaction that counts by the present zone has ended when the new one begins.
    IF EXISTS (SELECT FROM counted_leads c WHERE c.owner_id = NEW.id) THEN
        beginning := (date_trunc('day', (present + interval '1 hour') AT TIME ZONE zone) + interval '1 day')
            AT TIME ZONE zone;
    END IF;
    DELETE FROM counting_zones z WHERE z.owner_id = NEW.id AND z.since > present;
    INSERT INTO counting_zones AS z (owner_id, since, timezone) VALUES (NEW.id, beginning, zone)
    ON CONFLICT (owner_id, since) DO UPDATE SET timezone = excluded.timezone;
    RETURN NULL;
END $$;

----------------------------------------------------------------------------------------------------- histograms

-- The place of a span of time in a histogram: 0 is less than a second, and each place ends 1.08 times later than the one
-- before it, up to a year and more; domain/quantiles.py reads them.
CREATE FUNCTION histogram_place(span interval) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN extract(epoch FROM span) < 1 THEN 0
                ELSE least(230, 1 + floor(ln(extract(epoch FROM span)::float8) / ln(1.08::float8))) END::smallint;

-------------------------------------------------------------------------------------------------- what is counted

-- What the counters of a lead depend on, one row for each lead that counts.
CREATE TABLE counted_leads (
    owner_id bigint NOT NULL,
    lead_id bigint NOT NULL,
    day date NOT NULL,                               -- on which it came, in the owner's zone
    hour smallint NOT NULL,                          -- of the week
    source_id bigint,
    route_id bigint,
    state text COLLATE "C" NOT NULL,                 -- as lead_state says
    user_id bigint,                                  -- who has it
    claim_place smallint,                            -- of the time to claim in its histogram; null: no person has claimed it
    contact_place smallint,                          -- of the time to first contact; null: none is known
    contacted_at timestamptz,                        -- when a person first was in touch with the contact after it came
    PRIMARY KEY (owner_id, lead_id)
);

-- Changes of counters that have not been added up yet; `number` is how many more, or fewer, have all of these values.
CREATE TABLE counter_changes (
    owner_id bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,                  -- lead, imported, offer, campaign or arrival
    day date NOT NULL,
    state text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    hour smallint,
    source_id bigint,
    route_id bigint,
    team_id bigint,
    user_id bigint,
    campaign_id bigint,
    claim_place smallint,
    contact_place smallint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);
CREATE INDEX counter_changes_owner ON counter_changes (owner_id);

-- The counters: how many of an owner, by day and by month; `subject` is whom or what a figure is about, `part` the place in
-- a histogram or the team. Missing is 0.
CREATE TABLE counters (
    owner_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    figure text COLLATE "C" NOT NULL,
    span text COLLATE "C" NOT NULL CHECK (span IN ('day', 'month')),
    day date NOT NULL,                               -- of a month the first
    subject bigint NOT NULL,
    part bigint NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (owner_id, figure, span, day, subject, part)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- The counters that one counted row is in.
CREATE FUNCTION figures_of(c counter_changes) RETURNS TABLE (figure text, subject bigint, part bigint)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT v.figure, v.subject, v.part
    FROM (VALUES
        (c.state, CASE c.kind WHEN 'offer' THEN c.user_id WHEN 'campaign' THEN c.campaign_id ELSE 0 END,
            coalesce(c.team_id, 0)),
        ('offers', CASE WHEN c.state = 'turns' THEN c.user_id END, coalesce(c.team_id, 0)),
        ('leads by source', CASE c.kind WHEN 'lead' THEN coalesce(c.source_id, 0) END, 0),
        ('leads by route', CASE c.kind WHEN 'lead' THEN coalesce(c.route_id, 0) END, 0),
        ('leads by hour', CASE c.kind WHEN 'lead' THEN c.hour END, 0),
        ('claims by agent', CASE c.kind WHEN 'lead' THEN c.user_id END, 0),
        ('claims by source', CASE WHEN c.kind = 'lead' AND c.user_id IS NOT NULL THEN coalesce(c.source_id, 0) END, 0),
        ('claims by route', CASE WHEN c.kind = 'lead' AND c.user_id IS NOT NULL THEN coalesce(c.route_id, 0) END, 0),
        ('claims by hour', CASE WHEN c.kind = 'lead' AND c.user_id IS NOT NULL THEN c.hour END, 0),
        ('claim times', 0, c.claim_place),
        ('claim times by agent', c.user_id, c.claim_place),
        ('claim times by source', coalesce(c.source_id, 0), c.claim_place),
        ('claim times by route', coalesce(c.route_id, 0), c.claim_place),
        ('claim times by hour', c.hour, c.claim_place),
        ('contact times', 0, c.contact_place),
        ('contact times by agent', c.user_id, c.contact_place),
        ('contact times by source', coalesce(c.source_id, 0), c.contact_place),
        ('contact times by route', coalesce(c.route_id, 0), c.contact_place),
        ('contact times by hour', c.hour, c.contact_place)
    ) AS v (figure, subject, part)
    WHERE v.subject IS NOT NULL AND v.part IS NOT NULL;
END;

-- Every counter as it is now, by day.
CREATE VIEW counter_rows AS
SELECT owner_id, figure, day, subject, part, number FROM counters WHERE span = 'day'
UNION ALL
SELECT c.owner_id, f.figure, c.day, f.subject, f.part, c.number FROM counter_changes c CROSS JOIN LATERAL figures_of(c) f;

-- Adds up to `most` changes up in the counters. Returns how many. Changes that another process is adding up are skipped.
CREATE FUNCTION fold_counter_changes(most integer) RETURNS bigint LANGUAGE sql
BEGIN ATOMIC
    WITH taken AS (
        DELETE FROM counter_changes
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM counter_changes LIMIT most FOR UPDATE SKIP LOCKED))
        RETURNING *
    ), same AS MATERIALIZED (
        SELECT owner_id, kind, day, state, sum(number)::bigint AS number, hour, source_id, route_id, team_id, user_id,
               campaign_id, claim_place, contact_place
        FROM taken
        GROUP BY owner_id, kind, day, state, hour, source_id, route_id, team_id, user_id, campaign_id, claim_place,
                 contact_place
        HAVING sum(number) <> 0
    ), figure AS MATERIALIZED (
        SELECT c.owner_id, f.figure, c.day, f.subject, f.part, sum(c.number) AS number
        FROM same c CROSS JOIN LATERAL figures_of((c.*)::counter_changes) f
        GROUP BY 1, 2, 3, 4, 5
        HAVING sum(c.number) <> 0
    ), added AS (
        INSERT INTO counters AS k (owner_id, figure, span, day, subject, part, number)
        SELECT f.owner_id, f.figure, s.span, CASE s.span WHEN 'day' THEN f.day ELSE date_trunc('month', f.day)::date END,
               f.subject, f.part, sum(f.number)
        FROM figure f CROSS JOIN (VALUES ('day'), ('month')) AS s (span)
        WHERE EXISTS (SELECT FROM users u WHERE u.id = f.owner_id)
        GROUP BY 1, 2, 3, 4, 5, 6
        ORDER BY 1, 2, 3, 4, 5, 6
        ON CONFLICT (owner_id, figure, span, day, subject, part) DO UPDATE SET number = k.number + excluded.number
    )
    SELECT count(*) FROM taken;
END;

------------------------------------------------------------------------------------------------------------ leads

-- What an offer counts as: a turn, which is an offer to the first in the line-up, or another offer, once the member was
-- notified; and a win. It counts on the day on which its lead came.
CREATE FUNCTION counted_offer(place integer, notified_at timestamptz, state text) RETURNS TABLE (counts_as text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE place WHEN 0 THEN 'turns' ELSE 'offers' END WHERE notified_at IS NOT NULL
    UNION ALL SELECT 'wins' WHERE state = 'won';
END;

-- Whether a lead counts anywhere at all.
CREATE FUNCTION is_counted(l leads) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN true;

-- What counted_leads should contain, but for contacts: from the rows alone.
CREATE VIEW countable_leads AS
SELECT l.owner_id, l.id AS lead_id, t.moment::date AS day, hour_of_week(t.moment) AS hour, l.source_id, l.route_id,
       CASE WHEN l.is_imported THEN 'imported'
            ELSE lead_state(c.claimed_at, l.unclaimed_at, l.routed_at, l.is_imported) END AS state,
       c.user_id,
       CASE WHEN NOT l.is_imported AND c.via NOT IN ('Assigned', 'Auto')
            THEN histogram_place(c.claimed_at - l.created_at) END AS claim_place
FROM leads l
LEFT JOIN claims c ON c.owner_id = l.owner_id AND c.lead_id = l.id
CROSS JOIN LATERAL (SELECT owner_time(l.owner_id, l.created_at) AS moment OFFSET 0) t
WHERE is_counted(l);

-- Brings counted_leads in line with these leads.
CREATE FUNCTION count_leads(owner_ids bigint[], lead_ids bigint[]) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO counted_leads AS k (owner_id, lead_id, day, hour, source_id, route_id, state, user_id, claim_place)
    SELECT l.owner_id, l.lead_id, l.day, l.hour, l.source_id, l.route_id, l.state, l.user_id, l.claim_place
    FROM (SELECT DISTINCT * FROM unnest(owner_ids, lead_ids) AS x (owner_id, lead_id)) AS x
    CROSS JOIN LATERAL (SELECT * FROM countable_leads l
                        WHERE l.owner_id = x.owner_id AND l.lead_id = x.lead_id OFFSET 0) l
    ORDER BY 1, 2
    ON CONFLICT (owner_id, lead_id) DO UPDATE
        SET source_id = excluded.source_id, route_id = excluded.route_id, state = excluded.state,
            user_id = excluded.user_id, claim_place = excluded.claim_place
        WHERE (k.source_id, k.route_id, k.state, k.user_id, k.claim_place) IS DISTINCT FROM
              (excluded.source_id, excluded.route_id, excluded.state, excluded.user_id, excluded.claim_place);
END;

-- A new lead has no claim yet; if the same statement makes one, the trigger of claims counts it.
CREATE FUNCTION count_new_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counted_leads (owner_id, lead_id, day, hour, source_id, route_id, state)
    SELECT l.owner_id, l.id, t.moment::date, hour_of_week(t.moment), l.source_id, l.route_id,
           lead_state(NULL, l.unclaimed_at, l.routed_at, l.is_imported)
    FROM new_rows l CROSS JOIN LATERAL (SELECT owner_time(l.owner_id, l.created_at) AS moment OFFSET 0) t
    WHERE is_counted(l)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER count_new_leads AFTER INSERT ON leads
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_leads();

CREATE FUNCTION count_changed_leads() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner_ids bigint[];
    lead_ids bigint[];
BEGIN
    SELECT array_agg(n.owner_id), array_agg(n.id) INTO owner_ids, lead_ids
    FROM new_rows n JOIN old_rows o ON o.owner_id = n.owner_id AND o.id = n.id
    WHERE (n.source_id, n.route_id, n.unclaimed_at, n.routed_at, n.is_imported)
        IS DISTINCT FROM (o.source_id, o.route_id, o.unclaimed_at, o.routed_at, o.is_imported);
    IF owner_ids IS NOT NULL THEN
        PERFORM count_leads(owner_ids, lead_ids);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER count_changed_leads AFTER UPDATE ON leads
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_leads();

-- Before the lead goes, since its offers, whose counters need the day of the lead, go with it.
CREATE FUNCTION uncount_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT o.owner_id, 'offer', k.day, w.state, -count(*), o.team_id, o.user_id
    FROM offers o
    JOIN counted_leads k ON k.owner_id = o.owner_id AND k.lead_id = o.lead_id
    CROSS JOIN LATERAL counted_offer(o.place, o.notified_at, o.state) w (state)
    WHERE o.owner_id = OLD.owner_id AND o.lead_id = OLD.id
    GROUP BY o.owner_id, k.day, w.state, o.team_id, o.user_id;
    DELETE FROM counted_leads k WHERE k.owner_id = OLD.owner_id AND k.lead_id = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER uncount_lead BEFORE DELETE ON leads FOR EACH ROW EXECUTE FUNCTION uncount_lead();

-- For claims; a claim that goes with its lead finds no lead to count.
CREATE FUNCTION count_claims() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_leads(array_agg(r.owner_id), array_agg(r.lead_id)) FROM rows r HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER count_new_claims AFTER INSERT ON claims
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION count_claims();
CREATE TRIGGER count_changed_claims AFTER UPDATE ON claims
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION count_claims();
CREATE TRIGGER count_removed_claims AFTER DELETE ON claims
    REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION count_claims();

-- The changes of counters that changes of counted_leads are. A recount makes none, as it writes the counters itself.
CREATE FUNCTION change_lead_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('leadroutes.is_recounting', true) = 'true' THEN
        RETURN NULL;
    END IF;
    INSERT INTO counter_changes (owner_id, kind, day, state, number, hour, source_id, route_id, user_id, claim_place,
        contact_place)
    SELECT r.owner_id, CASE r.state WHEN 'imported' THEN 'imported' ELSE 'lead' END, r.day, r.state,
           CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END, r.hour, r.source_id, r.route_id, r.user_id,
           r.claim_place, r.contact_place
    FROM rows r
    GROUP BY r.owner_id, r.day, r.state, r.hour, r.source_id, r.route_id, r.user_id, r.claim_place, r.contact_place;
    RETURN NULL;
END $$;
CREATE FUNCTION move_lead_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('leadroutes.is_recounting', true) = 'true' THEN
        RETURN NULL;
    END IF;
    INSERT INTO counter_changes (owner_id, kind, day, state, number, hour, source_id, route_id, user_id, claim_place,
        contact_place)
    SELECT r.owner_id, CASE r.state WHEN 'imported' THEN 'imported' ELSE 'lead' END, r.day, r.state, sum(r.number),
           r.hour, r.source_id, r.route_id, r.user_id, r.claim_place, r.contact_place
    FROM (SELECT -1 AS number, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) r
    GROUP BY r.owner_id, r.day, r.state, r.hour, r.source_id, r.route_id, r.user_id, r.claim_place, r.contact_place
    HAVING sum(r.number) <> 0;
    RETURN NULL;
END $$;

---------------------------------------------------------------------------------------------------- first contact

-- Records that a person was in touch with a contact, for each lead of the contact that came before and for which no
-- earlier moment is known. Whatever learns of a call, a text, an e-mail or a conversation calls this, and nothing else.
CREATE FUNCTION note_contacted(owner bigint, contact bigint, moment timestamptz) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    WITH held AS MATERIALIZED (  -- in the order in which batches of leads lock them
        SELECT k.owner_id, k.lead_id, l.created_at
        FROM leads l JOIN counted_leads k ON k.owner_id = l.owner_id AND k.lead_id = l.id
        WHERE l.owner_id = owner AND l.contact_id = contact AND l.created_at <= moment AND NOT l.is_imported
          AND (k.contacted_at IS NULL OR k.contacted_at > moment)
        ORDER BY k.owner_id, k.lead_id
        FOR NO KEY UPDATE OF k
    )
    UPDATE counted_leads k
    SET contacted_at = moment, contact_place = histogram_place(moment - held.created_at)
    FROM held WHERE k.owner_id = held.owner_id AND k.lead_id = held.lead_id;
END;

CREATE FUNCTION note_contacted_by_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_contacted(NEW.owner_id, NEW.contact_id, NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER note_contacted AFTER INSERT ON events
    FOR EACH ROW WHEN (lower(NEW.type) IN ('conversation', 'call', 'text', 'email'))
    EXECUTE FUNCTION note_contacted_by_event();

CREATE FUNCTION note_contacted_by_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_contacted(NEW.contact_owner_id, NEW.contact_id, NEW.modified_at);
    RETURN NULL;
END $$;
CREATE TRIGGER note_contacted AFTER UPDATE OF status ON tasks
    FOR EACH ROW WHEN (NEW.status = 'complete' AND OLD.status <> 'complete' AND NEW.contact_id IS NOT NULL
        AND NEW.action_type IN ('Email Contact', 'Call Contact', 'Text Contact', 'Agent Task - Email Reminder',
                                'Agent Task - Call Reminder', 'Agent Task - Text Reminder'))
    EXECUTE FUNCTION note_contacted_by_task();

----------------------------------------------------------------------------------------------------------- offers

CREATE FUNCTION change_offer_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT r.owner_id, 'offer', k.day, w.state, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END, r.team_id,
           r.user_id
    FROM rows r
    CROSS JOIN LATERAL counted_offer(r.place, r.notified_at, r.state) w (state)
    CROSS JOIN LATERAL (SELECT k.day FROM counted_leads k WHERE k.owner_id = r.owner_id AND k.lead_id = r.lead_id
                        OFFSET 0) k
    GROUP BY r.owner_id, k.day, w.state, r.team_id, r.user_id;
    RETURN NULL;
END $$;
CREATE FUNCTION move_offer_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT c.owner_id, 'offer', k.day, w.state, sum(w.number), c.team_id, c.user_id
    FROM (
        SELECT r.owner_id, r.lead_id, r.team_id, r.user_id, r.place,
               sum(r.number) FILTER (WHERE r.notified_at IS NOT NULL) AS notified,
               sum(r.number) FILTER (WHERE r.state = 'won') AS won
        FROM (SELECT -1 AS number, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) r
        GROUP BY r.owner_id, r.lead_id, r.team_id, r.user_id, r.place
        HAVING sum(r.number) FILTER (WHERE r.notified_at IS NOT NULL) <> 0
            OR sum(r.number) FILTER (WHERE r.state = 'won') <> 0
    ) c
    CROSS JOIN LATERAL (SELECT k.day FROM counted_leads k WHERE k.owner_id = c.owner_id AND k.lead_id = c.lead_id
                        OFFSET 0) k
    CROSS JOIN LATERAL (VALUES (CASE c.place WHEN 0 THEN 'turns' ELSE 'offers' END, c.notified), ('wins', c.won))
        w (state, number)
    WHERE w.number <> 0
    GROUP BY c.owner_id, k.day, w.state, c.team_id, c.user_id;
    RETURN NULL;
END $$;
CREATE TRIGGER change_counters_of_new AFTER INSERT ON offers
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_offer_counters();
CREATE TRIGGER change_counters_of_changed AFTER UPDATE ON offers
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION move_offer_counters();
CREATE TRIGGER change_counters_of_removed AFTER DELETE ON offers
    REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_offer_counters();

-------------------------------------------------------------------------------------------------------- campaigns

-- Contacts who were enrolled, on the day of the start. A deleted campaign takes its runs, and so its counters, with it.
CREATE FUNCTION change_campaign_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, campaign_id)
    SELECT r.owner_id, 'campaign', t.day, 'enrolled', CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END,
           r.campaign_id
    FROM rows r CROSS JOIN LATERAL (SELECT owner_time(r.owner_id, r.created_at)::date AS day OFFSET 0) t
    GROUP BY r.owner_id, t.day, r.campaign_id;
    RETURN NULL;
END $$;
CREATE TRIGGER change_counters_of_new AFTER INSERT ON campaign_contacts
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_campaign_counters();
CREATE TRIGGER change_counters_of_removed AFTER DELETE ON campaign_contacts
    REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_campaign_counters();

-- Messages of campaigns that have an outcome, on the day on which they were made.
CREATE FUNCTION change_message_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, campaign_id)
    SELECT w.owner_id, 'campaign', owner_time(w.owner_id, w.created_at)::date, w.state, w.number, c.campaign_id
    FROM (SELECT 1, NEW.* WHERE TG_OP <> 'DELETE' UNION ALL SELECT -1, OLD.* WHERE TG_OP <> 'INSERT') AS w (number)
    JOIN contact_communications c ON c.owner_id = w.owner_id AND c.id = w.communication_id
    WHERE w.state IN ('sent', 'failed', 'suppressed', 'unknown') AND c.campaign_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER change_counters_of_new AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.kind = 'campaign' AND NEW.state IN ('sent', 'failed', 'suppressed', 'unknown'))
    EXECUTE FUNCTION change_message_counters();
CREATE TRIGGER change_counters_of_changed AFTER UPDATE OF state ON messages
    FOR EACH ROW WHEN (NEW.kind = 'campaign' AND OLD.state <> NEW.state AND NOT (
        OLD.state IN ('queued', 'sending') AND NEW.state IN ('queued', 'sending')))
    EXECUTE FUNCTION change_message_counters();
CREATE TRIGGER change_counters_of_removed AFTER DELETE ON messages
    FOR EACH ROW WHEN (OLD.kind = 'campaign') EXECUTE FUNCTION change_message_counters();

-- A step that is deleted, or whose campaign is, takes its message out of the counters. It is done before, as the message
-- goes with the step, and is not counted out again then.
CREATE FUNCTION uncount_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, campaign_id)
    SELECT m.owner_id, 'campaign', owner_time(m.owner_id, m.created_at)::date, m.state, -1, OLD.campaign_id
    FROM messages m
    WHERE m.owner_id = OLD.owner_id AND m.communication_id = OLD.id
      AND m.state IN ('sent', 'failed', 'suppressed', 'unknown');
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER uncount_message BEFORE DELETE ON contact_communications
    FOR EACH ROW WHEN (OLD.taken_at IS NOT NULL OR NOT OLD.is_active) EXECUTE FUNCTION uncount_message();
CREATE TRIGGER uncount_message_of_campaign BEFORE UPDATE OF campaign_id ON contact_communications
    FOR EACH ROW WHEN (OLD.campaign_id IS NOT NULL AND NEW.campaign_id IS NULL) EXECUTE FUNCTION uncount_message();

-- People who did not want more mail after one of a campaign, on the day on which they said so.
ALTER TABLE suppressions ADD COLUMN campaign_id bigint;  -- the campaign of the message; it may have been deleted
UPDATE suppressions s
SET campaign_id = (SELECT c.campaign_id FROM messages m
                   JOIN contact_communications c ON c.owner_id = m.owner_id AND c.id = m.communication_id
                   WHERE m.owner_id = s.owner_id AND m.id = s.source_message_id)
WHERE s.source_message_id IS NOT NULL AND is_own_wish(s.reason);
CREATE FUNCTION name_campaign_of_suppression() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.campaign_id := (SELECT c.campaign_id FROM messages m
                        JOIN contact_communications c ON c.owner_id = m.owner_id AND c.id = m.communication_id
                        WHERE m.owner_id = NEW.owner_id AND m.id = NEW.source_message_id);
    RETURN NEW;
END $$;
CREATE TRIGGER name_campaign BEFORE INSERT ON suppressions
    FOR EACH ROW WHEN (NEW.source_message_id IS NOT NULL AND is_own_wish(NEW.reason))
    EXECUTE FUNCTION name_campaign_of_suppression();
CREATE FUNCTION change_suppression_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, campaign_id)
    VALUES (NEW.owner_id, 'campaign', owner_time(NEW.owner_id, NEW.at)::date, 'opted out', 1, NEW.campaign_id);
    RETURN NULL;
END $$;
CREATE TRIGGER change_counters_of_new AFTER INSERT ON suppressions
    FOR EACH ROW WHEN (NEW.campaign_id IS NOT NULL) EXECUTE FUNCTION change_suppression_counters();

--------------------------------------------------------------------------------------------------------- arrivals

-- Arrivals that are rejected, on the day on which they came.
CREATE FUNCTION change_arrival_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number)
    SELECT r.owner_id, 'arrival', owner_time(r.owner_id, r.received_at)::date, 'rejected', r.number
    FROM (SELECT NEW.owner_id, NEW.received_at, 1 WHERE TG_OP <> 'DELETE' AND NEW.status = 'rejected'
          UNION ALL SELECT OLD.owner_id, OLD.received_at, -1 WHERE TG_OP <> 'INSERT' AND OLD.status = 'rejected')
        AS r (owner_id, received_at, number);
    RETURN NULL;
END $$;
CREATE TRIGGER change_counters_of_new AFTER INSERT ON arrivals
    FOR EACH ROW WHEN (NEW.status = 'rejected') EXECUTE FUNCTION change_arrival_counters();
CREATE TRIGGER change_counters_of_changed AFTER UPDATE OF status, owner_id ON arrivals
    FOR EACH ROW WHEN ((OLD.status = 'rejected') IS DISTINCT FROM (NEW.status = 'rejected')
                       OR OLD.owner_id <> NEW.owner_id)
    EXECUTE FUNCTION change_arrival_counters();
CREATE TRIGGER change_counters_of_removed AFTER DELETE ON arrivals
    FOR EACH ROW WHEN (OLD.status = 'rejected') EXECUTE FUNCTION change_arrival_counters();

---------------------------------------------------------------------------------------------------- proof and repair

-- Every counter as the rows say that it should be: what counter_rows has to be equal to.
CREATE VIEW countable_rows AS
WITH counted AS (
    SELECT owner_id, CASE state WHEN 'imported' THEN 'imported' ELSE 'lead' END AS kind, day, state, 1::bigint AS number,
           hour, source_id, route_id, NULL::bigint AS team_id, user_id, NULL::bigint AS campaign_id, claim_place,
           contact_place
    FROM counted_leads
    UNION ALL
    SELECT o.owner_id, 'offer', k.day, w.state, 1, NULL, NULL, NULL, o.team_id, o.user_id, NULL, NULL, NULL
    FROM offers o
    CROSS JOIN LATERAL counted_offer(o.place, o.notified_at, o.state) w (state)
    JOIN counted_leads k ON k.owner_id = o.owner_id AND k.lead_id = o.lead_id
    UNION ALL
    SELECT owner_id, 'campaign', owner_time(owner_id, created_at)::date, 'enrolled', 1, NULL, NULL, NULL, NULL, NULL,
           campaign_id, NULL, NULL
    FROM campaign_contacts
    UNION ALL
    SELECT m.owner_id, 'campaign', owner_time(m.owner_id, m.created_at)::date, m.state, 1, NULL, NULL, NULL, NULL, NULL,
           c.campaign_id, NULL, NULL
    FROM messages m JOIN contact_communications c ON c.owner_id = m.owner_id AND c.id = m.communication_id
    WHERE m.kind = 'campaign' AND m.state IN ('sent', 'failed', 'suppressed', 'unknown') AND c.campaign_id IS NOT NULL
    UNION ALL
    SELECT owner_id, 'campaign', owner_time(owner_id, at)::date, 'opted out', 1, NULL, NULL, NULL, NULL, NULL,
           campaign_id, NULL, NULL
    FROM suppressions WHERE campaign_id IS NOT NULL
    UNION ALL
    SELECT owner_id, 'arrival', owner_time(owner_id, received_at)::date, 'rejected', 1, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL
    FROM arrivals WHERE status = 'rejected'
), same AS (
    SELECT owner_id, kind, day, state, sum(number)::bigint AS number, hour, source_id, route_id, team_id, user_id,
           campaign_id, claim_place, contact_place
    FROM counted
    GROUP BY owner_id, kind, day, state, hour, source_id, route_id, team_id, user_id, campaign_id, claim_place,
             contact_place
)
SELECT c.owner_id, f.figure, c.day, f.subject, f.part, c.number
FROM same c CROSS JOIN LATERAL figures_of((c.*)::counter_changes) f;

-- Counts an owner's rows again, whatever the counters were; changes of any owner's leads wait meanwhile.
CREATE FUNCTION recount(owner bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE counter_changes IN SHARE ROW EXCLUSIVE MODE;
    PERFORM set_config('leadroutes.is_recounting', 'true', true);
    DELETE FROM counted_leads k WHERE k.owner_id = owner AND NOT EXISTS (
        SELECT FROM countable_leads l WHERE l.owner_id = k.owner_id AND l.lead_id = k.lead_id
            AND l.day = k.day AND l.hour = k.hour);
    PERFORM count_leads(array_agg(x.owner_id), array_agg(x.lead_id))
    FROM (SELECT owner_id, lead_id, source_id, route_id, state, user_id, claim_place FROM countable_leads
          WHERE owner_id = owner
          EXCEPT
          SELECT owner_id, lead_id, source_id, route_id, state, user_id, claim_place FROM counted_leads
          WHERE owner_id = owner) x
    HAVING count(*) > 0;
    DELETE FROM counter_changes WHERE owner_id = owner;
    DELETE FROM counters WHERE owner_id = owner;
    INSERT INTO counters (owner_id, figure, span, day, subject, part, number)
    SELECT r.owner_id, r.figure, s.span, CASE s.span WHEN 'day' THEN r.day ELSE date_trunc('month', r.day)::date END,
           r.subject, r.part, sum(r.number)
    FROM countable_rows r CROSS JOIN (VALUES ('day'), ('month')) AS s (span)
    WHERE r.owner_id = owner
    GROUP BY 1, 2, 3, 4, 5, 6;
    PERFORM set_config('leadroutes.is_recounting', 'false', true);
END $$;

---------------------------------------------------------------------------------------------- what there is already

INSERT INTO counting_zones (owner_id, since, timezone) SELECT id, '-infinity', known_zone(timezone) FROM users;
CREATE TRIGGER note_counting_zone_of_new AFTER INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION note_counting_zone();
CREATE TRIGGER note_counting_zone AFTER UPDATE OF timezone ON users
    FOR EACH ROW WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone) EXECUTE FUNCTION note_counting_zone();


-- The locks that the triggers have taken let nothing change meanwhile. The triggers of counted_leads come last, as what
-- they would add up is written here at once.
INSERT INTO counted_leads (owner_id, lead_id, day, hour, source_id, route_id, state, user_id, claim_place)
SELECT owner_id, lead_id, day, hour, source_id, route_id, state, user_id, claim_place FROM countable_leads;
INSERT INTO counters (owner_id, figure, span, day, subject, part, number)
SELECT r.owner_id, r.figure, s.span, CASE s.span WHEN 'day' THEN r.day ELSE date_trunc('month', r.day)::date END,
       r.subject, r.part, sum(r.number)
FROM countable_rows r CROSS JOIN (VALUES ('day'), ('month')) AS s (span)
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE TRIGGER change_counters_of_new AFTER INSERT ON counted_leads
    REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_lead_counters();
CREATE TRIGGER change_counters_of_changed AFTER UPDATE ON counted_leads
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION move_lead_counters();
CREATE TRIGGER change_counters_of_removed AFTER DELETE ON counted_leads
    REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_lead_counters();
