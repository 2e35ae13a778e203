-- Writes what a batch of arrivals brings: contacts, identities, leads, touches and dedupe keys, each as a JSON list.
-- Contacts and leads are created at :now, unless they say when (an import does). Returns how many rule sets are still
-- current, how many identities and keys were new, and how many filled contacts are as intended. Fewer than sent means
-- that another batch was faster, and this one has to be deduplicated again. An identity that came through an unproven
-- key passes to whoever brings it through a proven one. :owner_ids and :rule_set_numbers say which rule sets decided.
-- planner: short list, per-row lookup
WITH present AS (
    SELECT u.id FROM unnest(:owner_ids::bigint[], :rule_set_numbers::bigint[]) AS w (id, number)
    CROSS JOIN LATERAL (SELECT id FROM users u WHERE u.id = w.id AND u.rules_version = w.number OFFSET 0) u
), contact AS (
    INSERT INTO contacts (owner_id, id, first_name, last_name, email, secondary_email, mobile_phone, home_phone,
        office_phone, source_id, time_zone, created_at, modified_at)
    SELECT x.owner_id, x.id, x.first_name, x.last_name, x.email, x.secondary_email, x.mobile_phone, x.home_phone,
           x.office_phone, (SELECT s.id FROM contact_sources s WHERE s.owner_id = x.owner_id AND s.id = x.source_id),
           x.time_zone, coalesce(x.created_at, :now), coalesce(x.created_at, :now)
    FROM json_to_recordset(:new_contacts::json) AS x (owner_id bigint, id bigint, first_name text, last_name text,
                                                      email text, secondary_email text, mobile_phone text,
                                                      home_phone text, office_phone text, source_id bigint,
                                                      time_zone text, created_at timestamptz)
), filled AS (
    UPDATE contacts c
    SET first_name = coalesce(c.first_name, x.first_name), last_name = coalesce(c.last_name, x.last_name),
        email = coalesce(c.email, x.email), secondary_email = coalesce(c.secondary_email, x.secondary_email),
        mobile_phone = coalesce(c.mobile_phone, x.mobile_phone), home_phone = coalesce(c.home_phone, x.home_phone),
        office_phone = coalesce(c.office_phone, x.office_phone), source_id = coalesce(c.source_id, x.source_id),
        time_zone = coalesce(x.time_zone, c.time_zone), modified_at = :now
    FROM (SELECT * FROM (SELECT * FROM json_to_recordset(:filled_contacts::json) AS x (
        owner_id bigint, id bigint, first_name text, last_name text, email text, secondary_email text,
        mobile_phone text, home_phone text, office_phone text, source_id bigint, time_zone text)
        LIMIT json_array_length(:filled_contacts::json)) x LIMIT json_array_length(:filled_contacts::json)) x
    WHERE c.owner_id = x.owner_id AND c.id = x.id
    RETURNING (c.email, c.secondary_email, c.mobile_phone, c.home_phone, c.office_phone)
        IS NOT DISTINCT FROM (x.email, x.secondary_email, x.mobile_phone, x.home_phone, x.office_phone) AS is_as_meant
), identity AS (
    INSERT INTO contact_identities AS i (owner_id, kind, value, contact_id, is_proven)
    SELECT x.owner_id, x.kind, x.value, x.contact_id, x.is_proven
    FROM json_to_recordset(:identities::json) AS x (owner_id bigint, kind text, value text, contact_id bigint,
                                                    is_proven boolean)
    ON CONFLICT (owner_id, kind, value) DO UPDATE SET contact_id = excluded.contact_id, is_proven = true
        WHERE excluded.is_proven AND NOT i.is_proven
    RETURNING 1
), lead AS (
    INSERT INTO leads (owner_id, id, contact_id, creator_user_id, arrival_id, source_id, claimed_via, text_body,
        html_body, mls_id, listing_status, listing_price, street_address, city, state, zipcode, type, created_at,
        modified_at, touched_at, is_imported, routed_at, rule_set, facts, route_id, team_id, lapses_at, unclaimed_at,
        inquirer, intake_key_id, is_test, claimed_by_user_id, is_closed, junk_reason, junk_note)
    SELECT x.owner_id, x.id, x.contact_id, x.creator_user_id, x.arrival_id, x.source_id, x.claimed_via, x.text_body,
           x.html_body, x.mls_id, x.listing_status, x.listing_price, x.street_address, x.city, x.state, x.zipcode,
           x.type, coalesce(x.created_at, :now), coalesce(x.created_at, :now), coalesce(x.created_at, :now),
           coalesce(x.is_imported, false), x.routed_at, x.rule_set, x.facts, x.route_id, x.team_id, x.lapses_at,
           x.unclaimed_at, x.inquirer, x.intake_key_id, coalesce(x.is_test, false), x.claimed_by_user_id,
           coalesce(x.is_closed, false), x.junk_reason, x.junk_note
    FROM json_to_recordset(:leads::json) AS x (owner_id bigint, id bigint, contact_id bigint, creator_user_id bigint,
        arrival_id bigint, source_id bigint, claimed_via text, text_body text, html_body text, mls_id text,
        listing_status text, listing_price text, street_address text, city text, state text, zipcode text, type text,
        created_at timestamptz, is_imported boolean, routed_at timestamptz, rule_set bigint, facts jsonb,
        route_id bigint, team_id bigint, lapses_at timestamptz, unclaimed_at timestamptz, inquirer jsonb,
        intake_key_id bigint, is_test boolean, claimed_by_user_id bigint, is_closed boolean, junk_reason text,
        junk_note text)
), touch AS (
    SELECT * FROM (SELECT * FROM json_to_recordset(:touches::json) AS x (
        owner_id bigint, lead_id bigint, kind text, detail jsonb,
        text_body text, mls_id text, listing_price text, street_address text, city text, state text, zipcode text,
        type text, counts_as_touch boolean)
        LIMIT json_array_length(:touches::json)) x LIMIT json_array_length(:touches::json)
), gap AS (
    SELECT DISTINCT ON (owner_id, lead_id) * FROM touch ORDER BY owner_id, lead_id, counts_as_touch DESC
), touched AS (
    UPDATE leads l
    SET touched_at = CASE WHEN x.counts_as_touch THEN :now ELSE l.touched_at END, modified_at = :now,
        text_body = coalesce(l.text_body, x.text_body), mls_id = coalesce(l.mls_id, x.mls_id),
        listing_price = coalesce(l.listing_price, x.listing_price), type = coalesce(l.type, x.type),
        street_address = CASE WHEN has_place(l) THEN l.street_address ELSE x.street_address END,
        city = CASE WHEN has_place(l) THEN l.city ELSE x.city END,
        state = CASE WHEN has_place(l) THEN l.state ELSE x.state END,
        zipcode = CASE WHEN has_place(l) THEN l.zipcode ELSE x.zipcode END
    FROM gap x WHERE l.owner_id = x.owner_id AND l.id = x.lead_id
), event AS (
    INSERT INTO lead_events (owner_id, lead_id, at, kind, detail)
    SELECT owner_id, lead_id, :now, kind, detail FROM touch
), key AS (
    INSERT INTO idempotency_keys AS k (owner_id, scope, key, digest, lead_id, arrival_id, created_at, expires_at)
    SELECT x.owner_id, x.scope, x.key, x.digest, x.lead_id, x.arrival_id, :now, x.expires_at
    FROM json_to_recordset(:keys::json) AS x (owner_id bigint, scope text, key text, digest text, lead_id bigint,
        arrival_id bigint, expires_at timestamptz)
    ON CONFLICT (owner_id, scope, key) DO UPDATE
        SET digest = excluded.digest, lead_id = excluded.lead_id, arrival_id = excluded.arrival_id, created_at = :now,
            expires_at = excluded.expires_at
        WHERE k.expires_at < :now
    RETURNING 1
)
SELECT (SELECT count(*) FROM present) AS rule_sets, (SELECT count(*) FROM identity) AS identities,
       (SELECT count(*) FROM key) AS keys, (SELECT count(*) FROM filled WHERE is_as_meant) AS filled
