-- Returns everything that a batch of arrivals needs to know, each as JSON, and the new ids that it may use. Keys and
-- identities are three parallel arrays each; :contact_ids are contacts named by id; for :lead_source_ids the contact
-- sources of the same name are returned. deciding: as begin_deciding says; :owner_ids are sorted.
-- planner: per-row lookup
WITH identity AS (
    SELECT w.owner_id, w.kind, w.value, i.contact_id, i.is_proven
    FROM unnest(:identity_owner_ids::bigint[], :identity_kinds::text[], :identity_values::text[])
        AS w (owner_id, kind, value)
    CROSS JOIN LATERAL (
        SELECT contact_id, is_proven FROM contact_identities i
        WHERE i.owner_id = w.owner_id AND i.kind = w.kind AND i.value = w.value OFFSET 0) i
), known_key AS (
    SELECT k.*, l.contact_id, l.intake_key_id
    FROM unnest(:key_owner_ids::bigint[], :key_scopes::text[], :key_values::text[]) AS w (owner_id, scope, key)
    CROSS JOIN LATERAL (
        SELECT * FROM idempotency_keys k
        WHERE k.owner_id = w.owner_id AND k.scope = w.scope AND k.key = w.key OFFSET 0) k
    LEFT JOIN leads l ON l.owner_id = k.owner_id AND l.id = k.lead_id
), wanted_contact AS (
    SELECT owner_id, contact_id FROM identity
    UNION
    SELECT owner_id, contact_id
    FROM unnest(:contact_owner_ids::bigint[], :contact_ids::bigint[]) AS w (owner_id, contact_id)
    UNION
    SELECT owner_id, contact_id FROM known_key WHERE contact_id IS NOT NULL
)
SELECT
    (SELECT count(*) FROM (SELECT pg_advisory_xact_lock_shared(hashtextextended('decisions of ' || o.id, 0))
                           FROM unnest(:owner_ids::bigint[]) AS o (id) OFFSET 0) begun) AS deciding,
    (SELECT coalesce(json_object_agg(u.id, u.rules_version), '{}')
        FROM users u WHERE u.id = ANY (:owner_ids::bigint[]))::text AS versions,
    ARRAY(SELECT DISTINCT w.owner_id FROM webhooks w
          WHERE w.owner_id = ANY (:owner_ids::bigint[]) AND w.is_active) AS owners_with_webhooks,
    (SELECT coalesce(json_agg(json_build_array(k.owner_id, k.scope, k.key, json_build_object(
            'lead_id', k.lead_id, 'contact_id', k.contact_id, 'arrival_id', k.arrival_id, 'digest', k.digest,
            'expires_at', k.expires_at, 'intake_key_id', k.intake_key_id))), '[]')
        FROM known_key k)::text AS keys,
    (SELECT coalesce(json_agg(json_build_array(owner_id, kind, value, contact_id, is_proven)), '[]')
        FROM identity)::text AS identities,
    (SELECT coalesce(json_agg(json_build_array(c.owner_id, json_build_object(
            'id', c.id, 'first_name', c.first_name, 'last_name', c.last_name, 'email', c.email,
            'secondary_email', c.secondary_email, 'mobile_phone', c.mobile_phone, 'home_phone', c.home_phone,
            'office_phone', c.office_phone, 'source_id', c.source_id, 'assigned_user_id', c.assigned_user_id,
            'time_zone', c.time_zone, 'birthday', c.birthday, 'has_zipcode', c.time_zone IS NOT NULL AND (
                EXISTS (SELECT FROM contact_addresses a
                        WHERE a.owner_id = c.owner_id AND a.contact_id = c.id AND a.zip IS NOT NULL)
                OR EXISTS (SELECT FROM leads l
                           WHERE l.owner_id = c.owner_id AND l.contact_id = c.id AND l.zipcode IS NOT NULL))))), '[]')
        FROM wanted_contact w CROSS JOIN LATERAL (
            SELECT * FROM contacts c WHERE c.owner_id = w.owner_id AND c.id = w.contact_id OFFSET 0) c
        )::text AS contacts,
    (SELECT coalesce(json_agg(json_build_array(w.owner_id, w.lead_source_id, (
            SELECT min(c.id) FROM contact_sources c
            WHERE c.owner_id = w.owner_id AND lower(c.name) = lower(s.name)))), '[]')
        FROM unnest(:source_owner_ids::bigint[], :lead_source_ids::bigint[]) AS w (owner_id, lead_source_id)
        CROSS JOIN LATERAL (SELECT name FROM lead_sources s WHERE s.id = w.lead_source_id OFFSET 0) s
        )::text AS contact_sources,
    ARRAY(SELECT nextval('leads_id_seq') FROM generate_series(1, :lead_count::int)) AS lead_ids,
    ARRAY(SELECT nextval('contacts_id_seq') FROM generate_series(1, :lead_count::int)) AS contact_ids,
    ARRAY(SELECT nextval('arrivals_id_seq') FROM generate_series(1, :arrival_count::int)) AS arrival_ids
