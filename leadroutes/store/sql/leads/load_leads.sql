-- Returns leads with their offers and claims, as decisions need them. A caller that will change them holds their locks.
-- planner: per-row lookup
SELECT l.owner_id, l.id, l.contact_id, l.rule_set, l.facts::text AS facts, l.route_id, l.team_id, l.routed_at,
       l.lapses_at, l.unclaimed_at, l.source_id, l.type, l.zipcode, l.mls_id, l.is_test,
       l.junk_reason, l.junk_note, l.is_turn_given_back, l.is_imported,
       c.user_id AS claimed_by_user_id, c.claimed_at, c.via, u.rules_version,
       (SELECT w.id FROM webhooks w WHERE w.owner_id = l.owner_id AND w.is_active LIMIT 1) IS NOT NULL AS has_webhooks,
       -- arrays, in the order of the fields of Offer: objects would take twice as long
       (SELECT coalesce(json_agg(json_build_array(
            o.user_id, o.team_id, o.place, o.notify_at, o.rank, o.assign_automatically, o.has_call_alert,
            o.has_text_alert, o.has_email_alert, o.state, o.reason, o.notified_at, o.closed_at, o.available_from)
            ORDER BY o.place, o.id), '[]')
        FROM offers o WHERE o.owner_id = l.owner_id AND o.lead_id = l.id)::text AS offers
FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[]) AS wanted (owner_id, id)
CROSS JOIN LATERAL (SELECT * FROM leads l WHERE l.owner_id = wanted.owner_id AND l.id = wanted.id OFFSET 0) l
JOIN users u ON u.id = l.owner_id
LEFT JOIN claims c ON c.owner_id = l.owner_id AND c.lead_id = l.id
