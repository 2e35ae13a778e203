-- Returns as JSON what the check of an owner's rules needs to know beside the rules: names, the templates that
-- campaigns of active routes use, the windows of their steps, routes whose newest :most leads since :since have brought
-- no consent to the texts that they start, sources with their leads since :since and their intake keys, and the
-- zipcodes of the newest :most leads that came since then to routes by zipcode.
SELECT json_build_object(
    'has_postal_address', coalesce(btrim(u.postal_address), '') <> '',
    'owner_mail_fault', (
        SELECT d.reason FROM unreachable_users d WHERE d.user_id = u.id AND lower(d.address) = lower(u.email)),
    'custom_fields', (SELECT coalesce(json_agg(f.name ORDER BY f.rank, f.id), '[]')
                      FROM custom_fields f WHERE f.owner_id = u.id),
    'names', json_build_object(
        'teams', (SELECT coalesce(json_object_agg(t.id, t.name), '{}') FROM teams t WHERE t.owner_id = u.id),
        'campaigns', (
            SELECT coalesce(json_object_agg(c.id, c.name), '{}') FROM campaigns c
            WHERE c.id = ANY (ARRAY(SELECT r.campaign_id FROM lead_routes r WHERE r.owner_id = u.id))),
        'lead-sources', (
            SELECT coalesce(json_object_agg(s.id, s.name), '{}') FROM lead_sources s
            WHERE s.owner_id = u.id OR s.owner_id IS NULL),
        'users', (
            SELECT coalesce(json_object_agg(p.id, display_name(p)), '{}') FROM users p
            WHERE p.id = ANY (ARRAY(SELECT m.user_id FROM team_members m WHERE m.owner_id = u.id
                                    UNION ALL SELECT u.id)))),
    'templates', (
        SELECT coalesce(json_agg(json_build_object(
            'id', p.id, 'subject', coalesce(p.subject, ''), 'body', coalesce(p.body, ''),
            'is_email', p.template_type = 'Email',
            'name', coalesce(nullif(p.subject, ''), nullif(p.description, ''))) ORDER BY p.id), '[]')
        FROM (
            SELECT DISTINCT a.owner_id, used.template_id
            FROM campaign_actions a
            JOIN campaigns c ON c.owner_id = a.owner_id AND c.id = a.campaign_id
            CROSS JOIN LATERAL (
                SELECT a.template_id
                UNION ALL SELECT (v ->> 'template_id')::bigint FROM json_array_elements(a.variants) v) used
            WHERE used.template_id IS NOT NULL
              AND c.id = ANY (ARRAY(SELECT r.campaign_id FROM lead_routes r WHERE r.owner_id = u.id AND r.is_active))
            ORDER BY used.template_id
            LIMIT :most_templates
        ) a
        JOIN templates p ON p.owner_id = a.owner_id AND p.id = a.template_id),
    'step_windows', (
        SELECT coalesce(json_object_agg(a.id, json_build_object(
            'campaign_window', c.send_window::text, 'step_window', a.send_window::text,
            'first_answer_minutes', c.first_answer_minutes)), '{}')
        FROM campaign_actions a
        JOIN campaigns c ON c.owner_id = a.owner_id AND c.id = a.campaign_id
        WHERE c.id = ANY (ARRAY(SELECT r.campaign_id FROM lead_routes r WHERE r.owner_id = u.id AND r.is_active))
          AND (c.send_window IS NOT NULL OR a.send_window IS NOT NULL)),
    'texts_without_consent', (
        SELECT coalesce(json_agg(w.route_id ORDER BY w.route_id), '[]')
        FROM (
            SELECT l.route_id
            FROM (SELECT * FROM leads l
                  WHERE l.owner_id = u.id AND l.created_at >= :since::timestamptz AND l.id > 0
                  ORDER BY l.created_at DESC, l.id DESC
                  LIMIT CASE WHEN EXISTS (
                      SELECT FROM lead_routes r JOIN campaign_actions a ON a.campaign_id = r.campaign_id
                      WHERE r.owner_id = u.id AND r.is_active AND a.type = 'Text Contact')
                      THEN :most::bigint ELSE 0 END) l
            WHERE is_counted(l)
              AND l.route_id = ANY (ARRAY(
                  SELECT r.id FROM lead_routes r JOIN campaign_actions a ON a.campaign_id = r.campaign_id
                  WHERE r.owner_id = u.id AND r.is_active AND a.type = 'Text Contact'))
            GROUP BY l.route_id
            HAVING NOT bool_or((
                SELECT t.id FROM consents t
                WHERE t.owner_id = l.owner_id AND t.contact_id = l.contact_id AND t.channel = 'text'
                LIMIT 1) IS NOT NULL)
        ) w),
    'sources', (
        SELECT coalesce(json_agg(json_build_object('id', x.id, 'leads', x.leads, 'intake_keys', x.intake_keys)
                                 ORDER BY x.id), '[]')
        FROM (
            SELECT w.id, sum(w.leads) AS leads, sum(w.intake_keys) AS intake_keys
            FROM (
                SELECT c.subject AS id, c.number AS leads, 0 AS intake_keys
                FROM counter_rows c
                WHERE c.owner_id = u.id AND c.figure = 'leads by source' AND c.subject <> 0
                  AND c.day >= owner_time(u.id, :since::timestamptz)::date
                UNION ALL
                SELECT k.lead_source_id, 0, 1 FROM intake_keys k WHERE k.owner_id = u.id AND k.revoked_at IS NULL
            ) w
            GROUP BY w.id
        ) x
        JOIN lead_sources s ON s.id = x.id
        WHERE x.leads > 0 OR x.intake_keys > 0),
    'zipcodes_of_nobody', (
        SELECT coalesce(json_agg(json_build_array(z.route_id, z.zipcode, z.leads) ORDER BY z.route_id, z.zipcode), '[]')
        FROM (
            SELECT l.route_id, l.zipcode, count(*) AS leads
            FROM (SELECT * FROM leads l
                  WHERE l.owner_id = u.id AND l.created_at >= :since::timestamptz AND l.id > 0
                  ORDER BY l.created_at DESC, l.id DESC
                  LIMIT CASE WHEN EXISTS (SELECT FROM lead_routes r WHERE r.owner_id = u.id AND r.is_active
                                            AND r.team_selection_method = 'Zipcode') THEN :most::bigint ELSE 0 END) l
            WHERE l.zipcode IS NOT NULL AND is_counted(l)
              AND l.route_id = ANY (ARRAY(SELECT r.id FROM lead_routes r WHERE r.owner_id = u.id AND r.is_active
                                            AND r.team_selection_method = 'Zipcode'))
            GROUP BY l.route_id, l.zipcode
        ) z)
)::text
FROM users u
WHERE u.id = :owner_id
