-- Returns the current rules of owners as one JSON document each, with their number, both of the same snapshot. is_copy:
-- the database is a standby, which decides nothing and stores no rule sets.
-- planner: short array
SELECT pg_is_in_recovery() AS is_copy, u.id AS owner_id, u.rules_version AS number, json_build_object(
    'owner_id', u.id,
    'routes', (
        SELECT coalesce(json_agg(json_build_object(
            'id', r.id, 'team_id', r.team_id, 'campaign_id', r.campaign_id, 'lead_source_id', r.lead_source_id,
            'contact_source_id', r.contact_source_id, 'distribution_target', r.distribution_target,
            'team_selection_method', r.team_selection_method, 'filter', r.filter, 'is_active', r.is_active,
            'priority', r.priority, 'campaign_start', r.campaign_start, 'conditions', r.conditions,
            'returning_contact', r.returning_contact, 'name', r.name)
            ORDER BY r.id), '[]')
        FROM lead_routes r WHERE r.owner_id = u.id),
    'teams', (
        SELECT coalesce(json_object_agg(t.id, json_build_object(
            'id', t.id, 'order_method', t.order_method, 'mins_until_next_alert', t.mins_until_next_alert,
            'offer_mode', t.offer_mode, 'distribution_zipcodes', coalesce(t.distribution_zipcodes, '{}'),
            'when_nobody_is_available', t.when_nobody_is_available,
            'name', t.name, 'is_handover_free', t.is_handover_free, 'connect_on_claim', t.connect_on_claim,
            'is_contact_resource_sharing_enabled', t.is_contact_resource_sharing_enabled,
            'members', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', m.id, 'user_id', m.user_id, 'request_status', m.request_status, 'option_id', o.id,
                    'option', CASE WHEN o.id IS NOT NULL THEN json_build_object(
                        'rank', o.rank, 'mins_until_lead_offer', o.mins_until_lead_offer,
                        'assign_automatically', o.assign_automatically, 'has_call_alert', o.has_call_alert,
                        'has_text_alert', o.has_text_alert, 'has_email_alert', o.has_email_alert,
                        'weight', o.weight, 'is_paused', o.is_paused, 'paused_until', o.paused_until,
                        'max_open_leads', o.max_open_leads, 'max_leads_per_day', o.max_leads_per_day,
                        'max_leads_per_week', o.max_leads_per_week,
                        'has_night_calls', o.has_night_calls) END) ORDER BY m.id), '[]')
                FROM team_members m
                LEFT JOIN team_member_distribution_options o USING (owner_id, team_id, user_id)
                WHERE m.owner_id = t.owner_id AND m.team_id = t.id))), '{}')
        FROM teams t WHERE t.owner_id = u.id),
    'people', (
        SELECT json_object_agg(p.id, json_build_object(
            'timezone', p.timezone, 'phone', p.phone, 'is_active', p.is_active, 'may_be_away', p.may_be_away,
            'alerts', (
                SELECT json_build_object('won', a.won, 'claimed', a.claimed, 'unclaimed', a.unclaimed)
                FROM alert_preferences a WHERE a.user_id = p.id)))
        FROM users p
        WHERE p.id = ANY (ARRAY(  -- planner: short array
            SELECT u.id UNION ALL SELECT m.user_id FROM team_members m WHERE m.owner_id = u.id))),
    'campaigns', (
        SELECT coalesce(json_object_agg(c.id, (
            SELECT coalesce(json_agg(json_build_object(
                'id', a.id, 'type', a.type, 'assigned_user_id', a.assigned_user_id, 'template_id', a.template_id,
                'timing_type', a.timing_type, 'delay_by_days', a.delay_by_days, 'dispatch_time', a.dispatch_time,
                'delay_by_seconds', a.delay_by_seconds, 'dispatch_datetime', a.dispatch_datetime,
                'recurrence', a.recurrence, 'trigger_type', a.trigger_type,
                'is_stopped_on_text_reply', a.is_stopped_on_text_reply, 'description', a.description,
                'variants', a.variants)
                ORDER BY a.id), '[]')
            FROM campaign_actions a WHERE a.owner_id = c.owner_id AND a.campaign_id = c.id)), '{}')
        FROM campaigns c WHERE c.id IN (SELECT r.campaign_id FROM lead_routes r WHERE r.owner_id = u.id)),
    'listing_agents', (
        SELECT coalesce(json_agg(
            json_build_object('id', a.id, 'mls_id', a.mls_id, 'user_id', a.user_id) ORDER BY a.id), '[]')
        FROM listing_agents a WHERE a.owner_id = u.id)
)::text AS rules
FROM users u
WHERE u.id = ANY(:owner_ids::bigint[])
