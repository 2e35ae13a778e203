------------------------------------------------------------------------------------------------- closed and junk leads

-- What its owner, or whoever has a lead, says about it. A lead is junk as long as it has a reason; `is_turn_given_back`
-- says that the turn it took has been given back, which happens once.
ALTER TABLE leads
    ADD COLUMN is_closed boolean NOT NULL DEFAULT false,
    ADD COLUMN junk_reason text COLLATE "C",         -- one of those in domain/junk.py
    ADD COLUMN junk_note text,
    ADD COLUMN is_turn_given_back boolean NOT NULL DEFAULT false;

-- The turns that junk leads gave back and that no lead has used yet, in line: [[user_id, lead_id], …].
ALTER TABLE team_turns ADD COLUMN given_back jsonb NOT NULL DEFAULT '[]';

-- Further kinds of events and messages; whatever else was added stays. NOT VALID: the rows that exist have older kinds.
DO $$
DECLARE
    place record;
    rule text;
BEGIN
    FOR place IN VALUES
        ('messages', 'messages_kind_check', '''junk'''),
        ('lead_events', 'lead_events_kind_check', '''junk'', ''junk undone'', ''closed'', ''reopened''')
    LOOP
        SELECT replace(pg_get_constraintdef(c.oid), ' NOT VALID', '') INTO STRICT rule FROM pg_constraint c
        WHERE c.conrelid = place.column1::regclass AND c.conname = place.column2;
        EXECUTE format('ALTER TABLE %1$I DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I %3$s NOT VALID', place.column1,
                       place.column2, replace(rule, 'ARRAY[', 'ARRAY[' || place.column3 || ', '));
    END LOOP;
END $$;

-- Accepted members who were not in the line-up of a lead that went to their team, for 30 days. Those who were have an
-- offer; as one list shows both, both have ids of one sequence.
CREATE TABLE left_out_members (
    owner_id bigint NOT NULL,
    id bigint NOT NULL DEFAULT nextval('offers_id_seq'),
    lead_id bigint NOT NULL,
    team_id bigint NOT NULL,                         -- which may be another owner's by now, or gone
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    at timestamptz NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, lead_id) REFERENCES leads (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX left_out_members_user ON left_out_members (user_id, at);
CREATE INDEX left_out_members_lead ON left_out_members (owner_id, lead_id);
CREATE INDEX left_out_members_at ON left_out_members (at);

------------------------------------------------------------------------------------------------- what junk counts as

-- A junk lead remains in the counters of its state and is counted beside them: `junk` and `junk by source`. The turn that
-- it was does not count: it counts as another offer of its member.
ALTER TABLE counted_leads ADD COLUMN is_junk boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION figures_of(c counter_changes) RETURNS TABLE (figure text, subject bigint, part bigint)
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
        ('contact times by hour', c.hour, c.contact_place),
        ('junk by source', CASE c.kind WHEN 'junk' THEN coalesce(c.source_id, 0) END, 0),
        ('junk by route', CASE c.kind WHEN 'junk' THEN coalesce(c.route_id, 0) END, 0)
    ) AS v (figure, subject, part)
    WHERE v.subject IS NOT NULL AND v.part IS NOT NULL;
END;

CREATE OR REPLACE VIEW countable_leads AS
SELECT l.owner_id, l.id AS lead_id, t.moment::date AS day, hour_of_week(t.moment) AS hour, l.source_id, l.route_id,
       CASE WHEN l.is_imported THEN 'imported'
            ELSE lead_state(c.claimed_at, l.unclaimed_at, l.routed_at, l.is_imported) END AS state,
       c.user_id,
       CASE WHEN NOT l.is_imported AND c.via NOT IN ('Assigned', 'Auto')
            THEN histogram_place(c.claimed_at - l.created_at) END AS claim_place,
       l.junk_reason IS NOT NULL AS is_junk
FROM leads l
LEFT JOIN claims c ON c.owner_id = l.owner_id AND c.lead_id = l.id
CROSS JOIN LATERAL (SELECT owner_time(l.owner_id, l.created_at) AS moment OFFSET 0) t
WHERE is_counted(l);

CREATE OR REPLACE FUNCTION count_leads(owner_ids bigint[], lead_ids bigint[]) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO counted_leads AS k (owner_id, lead_id, day, hour, source_id, route_id, state, user_id, claim_place, is_junk)
    SELECT l.owner_id, l.lead_id, l.day, l.hour, l.source_id, l.route_id, l.state, l.user_id, l.claim_place, l.is_junk
    FROM (SELECT DISTINCT * FROM unnest(owner_ids, lead_ids) AS x (owner_id, lead_id)) AS x
    CROSS JOIN LATERAL (SELECT * FROM countable_leads l
                        WHERE l.owner_id = x.owner_id AND l.lead_id = x.lead_id OFFSET 0) l
    ORDER BY 1, 2
    ON CONFLICT (owner_id, lead_id) DO UPDATE
        SET source_id = excluded.source_id, route_id = excluded.route_id, state = excluded.state,
            user_id = excluded.user_id, claim_place = excluded.claim_place, is_junk = excluded.is_junk
        WHERE (k.source_id, k.route_id, k.state, k.user_id, k.claim_place, k.is_junk) IS DISTINCT FROM
              (excluded.source_id, excluded.route_id, excluded.state, excluded.user_id, excluded.claim_place,
               excluded.is_junk);
END;

CREATE OR REPLACE FUNCTION count_new_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counted_leads (owner_id, lead_id, day, hour, source_id, route_id, state, is_junk)
    SELECT l.owner_id, l.id, t.moment::date, hour_of_week(t.moment), l.source_id, l.route_id,
           lead_state(NULL, l.unclaimed_at, l.routed_at, l.is_imported), l.junk_reason IS NOT NULL
    FROM new_rows l CROSS JOIN LATERAL (SELECT owner_time(l.owner_id, l.created_at) AS moment OFFSET 0) t
    WHERE is_counted(l)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION count_changed_leads() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner_ids bigint[];
    lead_ids bigint[];
BEGIN
    SELECT array_agg(n.owner_id), array_agg(n.id) INTO owner_ids, lead_ids
    FROM new_rows n JOIN old_rows o ON o.owner_id = n.owner_id AND o.id = n.id
    WHERE (n.source_id, n.route_id, n.unclaimed_at, n.routed_at, n.is_imported, n.junk_reason IS NULL)
        IS DISTINCT FROM (o.source_id, o.route_id, o.unclaimed_at, o.routed_at, o.is_imported, o.junk_reason IS NULL);
    IF owner_ids IS NOT NULL THEN
        PERFORM count_leads(owner_ids, lead_ids);
    END IF;
    RETURN NULL;
END $$;

-- What an offer of a lead counts as, as counted_offer says; the turn of a junk lead counts as another offer.
CREATE FUNCTION offer_counted(counts_as text, is_junk boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN counts_as = 'turns' AND is_junk THEN 'offers' ELSE counts_as END;

CREATE OR REPLACE FUNCTION uncount_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT o.owner_id, 'offer', k.day, offer_counted(w.state, k.is_junk), -count(*), o.team_id, o.user_id
    FROM offers o
    JOIN counted_leads k ON k.owner_id = o.owner_id AND k.lead_id = o.lead_id
    CROSS JOIN LATERAL counted_offer(o.place, o.notified_at, o.state) w (state)
    WHERE o.owner_id = OLD.owner_id AND o.lead_id = OLD.id
    GROUP BY o.owner_id, k.day, offer_counted(w.state, k.is_junk), o.team_id, o.user_id;
    DELETE FROM counted_leads k WHERE k.owner_id = OLD.owner_id AND k.lead_id = OLD.id;
    RETURN OLD;
END $$;

CREATE OR REPLACE FUNCTION change_offer_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT r.owner_id, 'offer', k.day, offer_counted(w.state, k.is_junk),
           CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END, r.team_id, r.user_id
    FROM rows r
    CROSS JOIN LATERAL counted_offer(r.place, r.notified_at, r.state) w (state)
    CROSS JOIN LATERAL (SELECT k.day, k.is_junk FROM counted_leads k
                        WHERE k.owner_id = r.owner_id AND k.lead_id = r.lead_id OFFSET 0) k
    GROUP BY r.owner_id, k.day, offer_counted(w.state, k.is_junk), r.team_id, r.user_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION move_offer_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT c.owner_id, 'offer', k.day, offer_counted(w.state, k.is_junk), sum(w.number), c.team_id, c.user_id
    FROM (
        SELECT r.owner_id, r.lead_id, r.team_id, r.user_id, r.place,
               sum(r.number) FILTER (WHERE r.notified_at IS NOT NULL) AS notified,
               sum(r.number) FILTER (WHERE r.state = 'won') AS won
        FROM (SELECT -1 AS number, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) r
        GROUP BY r.owner_id, r.lead_id, r.team_id, r.user_id, r.place
        HAVING sum(r.number) FILTER (WHERE r.notified_at IS NOT NULL) <> 0
            OR sum(r.number) FILTER (WHERE r.state = 'won') <> 0
    ) c
    CROSS JOIN LATERAL (SELECT k.day, k.is_junk FROM counted_leads k
                        WHERE k.owner_id = c.owner_id AND k.lead_id = c.lead_id OFFSET 0) k
    CROSS JOIN LATERAL (VALUES (CASE c.place WHEN 0 THEN 'turns' ELSE 'offers' END, c.notified), ('wins', c.won))
        w (state, number)
    WHERE w.number <> 0
    GROUP BY c.owner_id, k.day, offer_counted(w.state, k.is_junk), c.team_id, c.user_id;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION change_lead_counters() RETURNS trigger LANGUAGE plpgsql AS $$
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
    INSERT INTO counter_changes (owner_id, kind, day, state, number, source_id, route_id)
    SELECT r.owner_id, 'junk', r.day, 'junk', CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END, r.source_id,
           r.route_id
    FROM rows r
    WHERE r.is_junk AND r.state <> 'imported'
    GROUP BY r.owner_id, r.day, r.source_id, r.route_id;
    RETURN NULL;
END $$;

-- A lead that becomes junk, or is no longer junk, changes what its offers count as.
CREATE OR REPLACE FUNCTION move_lead_counters() RETURNS trigger LANGUAGE plpgsql AS $$
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
    INSERT INTO counter_changes (owner_id, kind, day, state, number, source_id, route_id)
    SELECT r.owner_id, 'junk', r.day, 'junk', sum(r.number), r.source_id, r.route_id
    FROM (SELECT -1 AS number, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n) r
    WHERE r.is_junk AND r.state <> 'imported'
    GROUP BY r.owner_id, r.day, r.source_id, r.route_id
    HAVING sum(r.number) <> 0;
    INSERT INTO counter_changes (owner_id, kind, day, state, number, team_id, user_id)
    SELECT o.owner_id, 'offer', x.day, w.state, sum(x.number * w.number), o.team_id, o.user_id
    FROM (SELECT n.owner_id, n.lead_id, n.day, CASE WHEN n.is_junk THEN 1 ELSE -1 END AS number
          FROM new_rows n JOIN old_rows b ON b.owner_id = n.owner_id AND b.lead_id = n.lead_id
          WHERE n.is_junk <> b.is_junk) x
    JOIN offers o ON o.owner_id = x.owner_id AND o.lead_id = x.lead_id
    CROSS JOIN LATERAL (VALUES ('turns', -1), ('offers', 1)) w (state, number)
    WHERE o.place = 0 AND o.notified_at IS NOT NULL
    GROUP BY o.owner_id, x.day, w.state, o.team_id, o.user_id
    HAVING sum(x.number * w.number) <> 0;
    RETURN NULL;
END $$;

CREATE OR REPLACE VIEW countable_rows AS
WITH counted AS (
    SELECT owner_id, CASE state WHEN 'imported' THEN 'imported' ELSE 'lead' END AS kind, day, state, 1::bigint AS number,
           hour, source_id, route_id, NULL::bigint AS team_id, user_id, NULL::bigint AS campaign_id, claim_place,
           contact_place
    FROM counted_leads
    UNION ALL
    SELECT owner_id, 'junk', day, 'junk', 1, NULL, source_id, route_id, NULL, NULL, NULL, NULL, NULL
    FROM counted_leads WHERE is_junk AND state <> 'imported'
    UNION ALL
    SELECT o.owner_id, 'offer', k.day, offer_counted(w.state, k.is_junk), 1, NULL, NULL, NULL, o.team_id, o.user_id, NULL,
           NULL, NULL
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

CREATE OR REPLACE FUNCTION recount(owner bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE counter_changes IN SHARE ROW EXCLUSIVE MODE;
    PERFORM set_config('leadroutes.is_recounting', 'true', true);
    DELETE FROM counted_leads k WHERE k.owner_id = owner AND NOT EXISTS (
        SELECT FROM countable_leads l WHERE l.owner_id = k.owner_id AND l.lead_id = k.lead_id
            AND l.day = k.day AND l.hour = k.hour);
    PERFORM count_leads(array_agg(x.owner_id), array_agg(x.lead_id))
    FROM (SELECT owner_id, lead_id, source_id, route_id, state, user_id, claim_place, is_junk FROM countable_leads
          WHERE owner_id = owner
          EXCEPT
          SELECT owner_id, lead_id, source_id, route_id, state, user_id, claim_place, is_junk FROM counted_leads
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
