-- Returns the next leads of an owner in order of arrival, from (:after_moment, :after_id) on, as a JSON list for a
-- trial, with the moment and the id of the last one and how many they are. Held leads and test leads are left out. The
-- claim is that of a person, also where the lead was assigned to someone else later. What conditions ask for is there
-- only where the parameters say so, and the contact's agent if it was stored with the lead.
-- planner: scalar lookup
SELECT count(*) AS leads, max(x.created_at) AS last_moment,
    (array_agg(x.id ORDER BY x.created_at DESC, x.id DESC))[1] AS last_id,
    coalesce(json_agg(json_build_array(
        x.id, x.created_at, x.source_id,
        CASE WHEN x.facts IS NOT NULL THEN (x.facts ->> 'contact_source_id')::bigint
             ELSE (SELECT c.source_id FROM contacts c WHERE c.owner_id = x.owner_id AND c.id = x.contact_id) END,
        x.type, x.zipcode, k.user_id, k.claimed_at,
        CASE WHEN :with_lead THEN json_build_object(
            'received_at', x.created_at, 'listing_price', x.listing_price, 'zipcode', x.zipcode, 'city', x.city,
            'state', x.state, 'type', x.type, 'mls_id', x.mls_id, 'listing_status', x.listing_status,
            'street_address', x.street_address, 'inquirer', x.inquirer,
            'text_body', CASE WHEN :with_message THEN x.text_body END,
            'source_named', (SELECT a.source_named FROM arrivals a
                             WHERE a.owner_id = x.owner_id AND a.id = x.arrival_id)) END,
        CASE WHEN :with_contact THEN (
            SELECT json_build_object(
                'email', coalesce(c.email, c.secondary_email),
                'phone', coalesce(c.mobile_phone, c.home_phone, c.office_phone), 'tags', c.tags,
                'custom', CASE WHEN :with_custom THEN (
                    SELECT coalesce(json_agg(json_build_array(f.name, (
                        SELECT v.value FROM custom_field_values v
                        WHERE v.owner_id = c.owner_id AND v.contact_id = c.id AND v.custom_field_id = f.id))
                        ORDER BY f.rank, f.id), '[]')
                    FROM custom_fields f WHERE f.owner_id = c.owner_id) ELSE '[]'::json END,
                'has_earlier_lead', (
                    SELECT l.id FROM leads l
                    WHERE l.owner_id = c.owner_id AND l.contact_id = c.id AND l.id <> x.id AND is_counted(l)
                      AND (l.created_at, l.id) < (x.created_at, x.id)
                    LIMIT 1) IS NOT NULL)
            FROM contacts c WHERE c.owner_id = x.owner_id AND c.id = x.contact_id) END,
        CASE WHEN :with_lead AND x.facts -> 'is_erased' IS NULL THEN x.facts -> 'named' END,
        x.mls_id,
        (x.facts ->> 'assigned_user_id')::bigint
    ) ORDER BY x.created_at, x.id), '[]')::text AS past_leads
FROM (
    SELECT * FROM leads l
    WHERE l.owner_id = :owner_id AND l.id > 0 AND (l.created_at, l.id) > (:after_moment::timestamptz, :after_id::bigint)
      AND l.created_at < :until::timestamptz AND is_counted(l) AND (l.routed_at IS NOT NULL OR l.is_imported)
    ORDER BY l.created_at, l.id
    LIMIT :most
) x
LEFT JOIN LATERAL (
    SELECT c.user_id, c.claimed_at FROM claims c
    WHERE c.owner_id = x.owner_id AND c.lead_id = x.id AND c.via NOT IN ('Auto', 'Assigned')
    UNION ALL
    SELECT e.user_id, e.at FROM claims c
    JOIN lead_events e ON e.owner_id = c.owner_id AND e.lead_id = c.lead_id AND e.kind = 'claimed'
     AND e.detail ->> 'via' <> 'Auto'
    WHERE c.owner_id = x.owner_id AND c.lead_id = x.id AND c.via = 'Assigned'
    ORDER BY 2 LIMIT 1
) k ON true
