-- Returns records as JSON, as their owners get them at this moment, by their places, each with its lead and contact.
-- An offer is found by its lead and :user_ids. Made by bin/generate from the declarations of the API.
-- planner: per-row lookup
SELECT w.place, r.record, r.lead_id, r.contact_id
FROM unnest(:places::int[], :kinds::text[], :owner_ids::bigint[], :record_ids::bigint[],
:user_ids::bigint[]) AS w (place, kind, owner_id, record_id, user_id)
CROSS JOIN LATERAL (
SELECT (SELECT row_to_json(r)::text FROM (SELECT t.id AS "id", t.owner_id AS "owner_user_id", t.contact_id AS
    "contact_id", t.source_id AS "source_id", t.claimed_by_user_id AS "claimed_by_user_id", to_char(c.claimed_at AT TIME
    ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "claimed_at", coalesce(c.via, t.claimed_via) AS "claimed_via",
    floor(extract(epoch FROM c.claimed_at - t.created_at))::bigint AS "time_to_claim", CASE WHEN true THEN t.text_body
    END AS "text_body", CASE WHEN true THEN t.html_body END AS "html_body", t.mls_id AS "mls_id", t.listing_status AS
    "listing_status", t.listing_price AS "listing_price", CASE WHEN true THEN t.street_address END AS "street_address",
    CASE WHEN true THEN t.street_address END AS "address_1", t.city AS "city", t.state AS "state", t.zipcode AS
    "zipcode", t.type AS "type", to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS
    "created_at", to_char(t.modified_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "modified_at", t.is_test
    AS "is_test", lead_state(c.claimed_at, t.unclaimed_at, t.routed_at, t.is_imported) AS "lead_state", t.is_closed AS
    "is_closed", t.junk_reason AS "junk_reason", CASE WHEN true THEN t.junk_note END AS "junk_note") r) AS record, t.id
    AS lead_id, t.contact_id AS contact_id
FROM leads t LEFT JOIN claims c ON c.owner_id = t.owner_id AND c.lead_id = t.id
WHERE w.kind = 'lead' AND t.owner_id = w.owner_id AND t.id = w.record_id
UNION ALL
SELECT (SELECT row_to_json(r)::text FROM (SELECT t.id AS "id", (SELECT row_to_json(n) FROM (SELECT x.id AS "id",
    x.contact_id AS "contact_id", x.source_id AS "source_id", x.type AS "type", y.user_id AS "claimed_by_user_id",
    to_char(y.claimed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "claimed_at" FROM leads x LEFT JOIN
    claims y ON y.owner_id = x.owner_id AND y.lead_id = x.id WHERE x.owner_id = t.owner_id AND x.id = t.lead_id) n) AS
    "lead", (SELECT row_to_json(n) FROM (SELECT x.id AS "id", x.first_name AS "first_name", x.last_name AS "last_name",
    x.email AS "email" FROM users x WHERE x.id = t.user_id) n) AS "user", (SELECT row_to_json(n) FROM (SELECT x.id AS
    "id", x.name AS "name" FROM teams x WHERE x.owner_id = t.owner_id AND x.id = t.team_id) n) AS "team",
    to_char(t.notify_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "notify_at", t.rank AS "rank",
    t.assign_automatically AS "assign_automatically", t.has_call_alert AS "has_call_alert", t.has_text_alert AS
    "has_text_alert", t.has_email_alert AS "has_email_alert", t.state AS "state", t.reason AS "reason",
    to_char(t.available_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "available_from") r) AS record,
    t.lead_id AS lead_id, (SELECT x.contact_id FROM leads x WHERE x.owner_id = t.owner_id AND x.id = t.lead_id) AS
    contact_id
FROM offers t
WHERE w.kind = 'offer' AND t.owner_id = w.owner_id AND t.lead_id = w.record_id AND t.user_id = w.user_id
UNION ALL
SELECT (SELECT row_to_json(r)::text FROM (SELECT t.id AS "id", t.owner_id AS "owner_user_id", t.assigned_user_id AS
    "assigned_user_id", t.first_name AS "first_name", t.last_name AS "last_name", t.email AS "email", t.secondary_email
    AS "secondary_email", t.mobile_phone AS "mobile_phone", t.home_phone AS "home_phone", t.office_phone AS
    "office_phone", t.fax AS "fax", t.company AS "company", t.birthday AS "birthday", t.anniversary AS "anniversary",
    t.spouse_name AS "spouse_name", t.spouse_email AS "spouse_email", t.spouse_phone AS "spouse_phone",
    t.spouse_birthday AS "spouse_birthday", t.tags AS "tags", t.hotness_id AS "hotness_id", t.source_id AS "source_id",
    to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "created_at", to_char(t.modified_at AT
    TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "modified_at", ('[' || coalesce((SELECT
    string_agg(row_to_json(n)::text, ',') FROM (SELECT x.id, v.value, x.name, x.data_type, x.owner_id AS user_id, x.rank
    FROM custom_fields x LEFT JOIN custom_field_values v ON v.owner_id = t.owner_id AND v.contact_id = t.id AND
    v.custom_field_id = x.id WHERE x.owner_id = w.owner_id OR x.owner_id = (SELECT s.owner_id FROM sub_accounts s WHERE
    s.user_id = w.owner_id AND s.is_custom_fields_enabled) ORDER BY x.rank, x.id) n), '') || ']')::json AS
    "custom_fields", ('[' || coalesce((SELECT string_agg(row_to_json(n)::text, ',') FROM (SELECT x.id AS "id", x.type AS
    "type", x.street_address_1 AS "street_address_1", x.street_address_2 AS "street_address_2", x.zip AS "zip", x.city
    AS "city", x.state AS "state", to_char(x.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS
    "created_at", to_char(x.modified_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "modified_at" FROM
    contact_addresses x WHERE x.owner_id = t.owner_id AND x.contact_id = t.id ORDER BY x.id) n), '') || ']')::json AS
    "addresses", (SELECT row_to_json(n) FROM (SELECT v.id AS "id", v.reason AS "reason", concat_ws(': ',
    suppressed_because(v.reason), (SELECT m.reason FROM messages m WHERE v.reason = 'bounced' AND m.owner_id =
    t.owner_id AND m.id = v.source_message_id AND m.state = 'failed')) AS "text", to_char(v.at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "at", v.by_user_id AS "by_user_id", v.source_message_id AS "source_message_id"
    FROM suppression_of(t.owner_id, t.email) v) n) AS "email_suppression") r) AS record, NULL::bigint AS lead_id, t.id
    AS contact_id
FROM contacts t
WHERE w.kind = 'contact' AND t.owner_id = w.owner_id AND t.id = w.record_id
UNION ALL
SELECT (SELECT row_to_json(r)::text FROM (SELECT t.id AS "id", t.channel AS "channel", t.kind AS "kind", t.state AS
    "state", t.reason AS "reason", t.advice AS "advice", t.lead_id AS "lead_id", t.contact_id AS "contact_id", t.user_id
    AS "user_id", t.address AS "address", t.provider_id AS "provider_id", t.provider_state AS "provider_state",
    t.error_code AS "error_code", to_char(t.delivered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS
    "delivered_at", to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "created_at",
    to_char(t.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "sent_at") r) AS record, t.lead_id AS
    lead_id, coalesce(t.contact_id, (SELECT x.contact_id FROM leads x WHERE x.owner_id = t.owner_id AND x.id =
    t.lead_id)) AS contact_id
FROM messages t
WHERE w.kind = 'message' AND t.owner_id = w.owner_id AND t.id = w.record_id
UNION ALL
SELECT (SELECT row_to_json(r)::text FROM (SELECT t.id AS "id", to_char(t.received_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "received_at", t.intake_key_id AS "intake_key_id", t.lead_source_id AS
    "lead_source_id", t.format AS "format", t.status AS "status", t.reason AS "reason", t.lead_id AS "lead_id",
    to_char(t.corrected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "corrected_at",
    t.corrected_by_user_id AS "corrected_by_user_id", to_char(t.handled_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "handled_at", t.handled_by_user_id AS "handled_by_user_id", t.handled_at IS NOT
    NULL AS "is_handled") r) AS record, t.lead_id AS lead_id, (SELECT x.contact_id FROM leads x WHERE x.owner_id =
    t.owner_id AND x.id = t.lead_id) AS contact_id
FROM arrivals t
WHERE w.kind = 'arrival' AND t.owner_id = w.owner_id AND t.id = w.record_id
OFFSET 0) r
