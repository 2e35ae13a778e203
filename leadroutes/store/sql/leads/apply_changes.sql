-- Writes all that a batch of decisions changes, and returns the new messages. The caller holds the locks of the leads,
-- or has just inserted them. All parameters but :now are JSON lists. A second claim of a lead violates the primary key,
-- unless it says that it replaces the first one. Every alert also goes to the browsers of its user, as one message
-- beside those over other channels, and who has the lead to those of everyone whose offer is lost; none is added over
-- push for a user without such a browser.
-- planner: short list, scalar lookup
WITH lead AS (
    UPDATE leads l
    SET lapses_at = x.lapses_at, unclaimed_at = x.unclaimed_at,
        routed_at = coalesce(l.routed_at, x.routed_at), rule_set = coalesce(l.rule_set, x.rule_set),
        facts = coalesce(l.facts, x.facts), route_id = coalesce(l.route_id, x.route_id),
        team_id = coalesce(l.team_id, x.team_id),
        claimed_by_user_id = coalesce(x.claimed_by_user_id, l.claimed_by_user_id),
        modified_at = CASE WHEN x.claimed_by_user_id IS NOT NULL THEN :now ELSE l.modified_at END
    FROM (SELECT * FROM (SELECT * FROM json_to_recordset(:leads::json) AS x (
        owner_id bigint, lead_id bigint, lapses_at timestamptz, unclaimed_at timestamptz, routed_at timestamptz,
        rule_set bigint, facts jsonb, route_id bigint, team_id bigint, claimed_by_user_id bigint)
        LIMIT json_array_length(:leads::json)) x LIMIT json_array_length(:leads::json)) x
    WHERE l.owner_id = x.owner_id AND l.id = x.lead_id
      AND (x.claimed_by_user_id IS NOT NULL OR x.routed_at IS NOT NULL
           OR (l.lapses_at, l.unclaimed_at) IS DISTINCT FROM (x.lapses_at, x.unclaimed_at))
), offer AS (
    INSERT INTO offers (owner_id, lead_id, user_id, team_id, place, notify_at, rank, assign_automatically,
        has_call_alert, has_text_alert, has_email_alert, state, reason, notified_at, closed_at, available_from)
    SELECT x.* FROM json_to_recordset(:new_offers::json) AS x (
        owner_id bigint, lead_id bigint, user_id bigint, team_id bigint, place int, notify_at timestamptz, rank int,
        assign_automatically boolean, has_call_alert boolean, has_text_alert boolean, has_email_alert boolean,
        state text, reason text, notified_at timestamptz, closed_at timestamptz, available_from timestamptz)
    RETURNING owner_id, lead_id, user_id, id
), changed_offer AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:changed_offers::json) AS x (
        owner_id bigint, lead_id bigint, user_id bigint, notify_at timestamptz, has_text_alert boolean,
        has_email_alert boolean, state text, reason text, notified_at timestamptz, closed_at timestamptz,
        available_from timestamptz)
), changed AS (
    UPDATE offers o
    SET notify_at = x.notify_at, state = x.state, reason = x.reason, notified_at = x.notified_at,
        closed_at = x.closed_at, available_from = x.available_from, has_text_alert = x.has_text_alert,
        has_email_alert = x.has_email_alert
    FROM (SELECT * FROM (SELECT * FROM changed_offer LIMIT (SELECT count(*) FROM changed_offer)) x
          LIMIT (SELECT count(*) FROM changed_offer)) x
    WHERE o.lead_id = x.lead_id AND o.user_id = x.user_id AND o.owner_id = x.owner_id
    RETURNING o.owner_id, o.lead_id, o.user_id, o.id
), new_claim AS (
    SELECT * FROM (SELECT * FROM json_to_recordset(:claims::json) AS x (
        owner_id bigint, lead_id bigint, contact_id bigint, user_id bigint, claimed_at timestamptz, via text,
        is_replacement boolean)
        LIMIT json_array_length(:claims::json)) x LIMIT json_array_length(:claims::json)
), claimed AS (
    INSERT INTO claims (owner_id, lead_id, user_id, claimed_at, via)
    SELECT owner_id, lead_id, user_id, claimed_at, via FROM new_claim WHERE NOT is_replacement
), moved AS (
    UPDATE claims c SET user_id = x.user_id, claimed_at = x.claimed_at, via = x.via
    FROM new_claim x WHERE x.is_replacement AND c.owner_id = x.owner_id AND c.lead_id = x.lead_id
), assigned AS (
    UPDATE contacts c SET assigned_user_id = x.user_id, modified_at = :now
    FROM new_claim x WHERE c.owner_id = x.owner_id AND c.id = x.contact_id
), handed_over AS (
    UPDATE tasks t SET assigned_user_id = x.user_id, modified_at = :now
    FROM new_claim x
    WHERE t.contact_owner_id = x.owner_id AND t.contact_id = x.contact_id AND t.follows_contact
      AND t.status = 'incomplete'
), event AS (
    INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id, by_user_id, detail)
    SELECT x.owner_id, x.lead_id, :now, x.kind, x.user_id, x.by_user_id, x.detail
    FROM json_to_recordset(:events::json) AS x (
        owner_id bigint, lead_id bigint, kind text, user_id bigint, by_user_id bigint, detail jsonb)
), turn AS (
    INSERT INTO team_turns (owner_id, team_id, credits, present, weights, latest, given_back)
    SELECT x.owner_id, x.team_id, x.credits, x.present, x.weights, x.latest, x.given_back
    FROM json_to_recordset(:turns::json) AS x (
        owner_id bigint, team_id bigint, credits jsonb, present bigint[], weights bigint[], latest bigint[],
        given_back jsonb)
    ON CONFLICT (owner_id, team_id) DO UPDATE
        SET credits = excluded.credits, present = excluded.present, weights = excluded.weights,
            latest = excluded.latest, given_back = excluded.given_back
), alert AS MATERIALIZED (
    SELECT * FROM json_to_recordset(:messages::json) AS x (
        owner_id bigint, lead_id bigint, kind text, channel text, user_id bigint)
), wanted AS MATERIALIZED (
    SELECT * FROM alert WHERE channel <> 'push'
    UNION ALL
    SELECT DISTINCT a.owner_id, a.lead_id, a.kind, 'push', a.user_id
    FROM (SELECT owner_id, lead_id, kind, user_id FROM alert
          UNION ALL
          SELECT owner_id, lead_id, 'claimed', user_id FROM changed_offer
          WHERE state = 'lost' AND notified_at IS NOT NULL) a
    WHERE (SELECT s.id FROM push_subscriptions s WHERE s.user_id = a.user_id LIMIT 1) IS NOT NULL
)
INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
SELECT x.owner_id, x.kind, x.channel, x.lead_id,
       coalesce(written.id, (SELECT o.id FROM offers o
                             WHERE o.owner_id = x.owner_id AND o.lead_id = x.lead_id AND o.user_id = x.user_id)),
       x.user_id, :now
FROM (SELECT * FROM (SELECT * FROM wanted LIMIT (SELECT count(*) FROM wanted)) x
      LIMIT (SELECT count(*) FROM wanted)) x
LEFT JOIN (SELECT * FROM offer UNION ALL SELECT * FROM changed) written
    ON written.owner_id = x.owner_id AND written.lead_id = x.lead_id AND written.user_id = x.user_id
ON CONFLICT DO NOTHING
RETURNING owner_id, id
