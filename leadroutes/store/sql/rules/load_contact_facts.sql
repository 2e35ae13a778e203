-- Returns what conditions of routes ask of the contacts of leads: addresses, tags, the values of the owner's own fields
-- in their order (where :with_custom says so), and whether the contact had a lead before this one came, test leads
-- apart. A contact that is not stored is missing.
-- planner: per-row lookup, scalar lookup
SELECT w.owner_id, w.lead_id, coalesce(c.email, c.secondary_email) AS email,
       coalesce(c.mobile_phone, c.home_phone, c.office_phone) AS phone, c.tags,
       (SELECT coalesce(json_agg(json_build_array(f.name, (
            SELECT v.value FROM custom_field_values v
            WHERE v.owner_id = w.owner_id AND v.contact_id = w.contact_id AND v.custom_field_id = f.id))
            ORDER BY f.rank, f.id), '[]')
        FROM custom_fields f WHERE f.owner_id = w.owner_id AND w.with_custom)::text AS custom,
       (SELECT l.id FROM leads l
        WHERE l.owner_id = w.owner_id AND l.contact_id = w.contact_id AND l.id <> w.lead_id AND is_counted(l)
          AND (l.created_at, l.id) < (w.received_at, w.lead_id)
        LIMIT 1) IS NOT NULL AS has_earlier_lead
FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[], :lead_ids::bigint[], :moments::timestamptz[],
            :with_custom::boolean[]) AS w (owner_id, contact_id, lead_id, received_at, with_custom)
CROSS JOIN LATERAL (
    SELECT * FROM contacts c WHERE c.owner_id = w.owner_id AND c.id = w.contact_id OFFSET 0) c
