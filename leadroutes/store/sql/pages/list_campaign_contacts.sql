-- Returns the contacts for which a campaign runs and which the viewer sees, newest contact first, with what comes next
-- for each, and what that waits for. :before is the last contact of the page before.
-- planner: per-row lookup
WITH sharer AS MATERIALIZED (
    SELECT :user_id::bigint AS id
    UNION SELECT teammate_id FROM sharing_teammates WHERE user_id = :user_id
    UNION SELECT owner_id FROM sub_accounts WHERE user_id = :user_id AND is_contact_ownership_enabled
), run AS MATERIALIZED (
    SELECT r.* FROM (
        SELECT r.* FROM sharer s CROSS JOIN LATERAL (
            SELECT r.owner_id, r.id, r.contact_id, r.created_at FROM campaign_contacts r
            WHERE r.owner_id = s.id AND r.campaign_id = :campaign_id AND r.ended_at IS NULL AND r.contact_id < :before
            ORDER BY r.contact_id DESC LIMIT :most) r
        UNION ALL
        SELECT r.* FROM contacts a CROSS JOIN LATERAL (
            SELECT r.owner_id, r.id, r.contact_id, r.created_at FROM campaign_contacts r
            WHERE r.owner_id = a.owner_id AND r.campaign_id = :campaign_id AND r.contact_id = a.id
              AND r.ended_at IS NULL OFFSET 0) r
        WHERE a.assigned_user_id = :user_id AND a.id < :before AND a.owner_id NOT IN (SELECT id FROM sharer)) r
    ORDER BY r.contact_id DESC LIMIT :most
)
SELECT r.id, r.contact_id, r.created_at, c.email, c.mobile_phone,
       nullif(concat_ws(' ', nullif(btrim(c.first_name), ''), nullif(btrim(c.last_name), '')), '') AS name,
       n.type AS next_type, n.at AS next_at, n.template_name AS next_template, n.description AS next_description,
       n.waits AS next_waits,
       CASE WHEN n.type = 'Email Contact'
            THEN (SELECT suppressed_because(v.reason) FROM suppression_of(c.owner_id, c.email) v)
       END AS suppressed_because
FROM run r
JOIN contacts c ON c.owner_id = r.owner_id AND c.id = r.contact_id
LEFT JOIN LATERAL (
    SELECT * FROM (
        (SELECT x.type, x.send_at AS at, t.description AS template_name, NULL AS description,
                CASE WHEN x.is_held THEN 'until someone has the lead'
                     WHEN x.waits_until IS NOT NULL THEN 'for ' || x.waits_text END AS waits
         FROM contact_communications x
         JOIN campaigns g ON g.id = x.campaign_id
         LEFT JOIN templates t ON t.owner_id = g.owner_id AND t.id = x.template_id
         WHERE x.owner_id = r.owner_id AND x.campaign_contact_id = r.id AND x.is_active
           AND (x.taken_at IS NULL OR x.is_held)
         ORDER BY x.send_at, x.id LIMIT 1)
        UNION ALL
        (SELECT x.action_type, x.due_at, NULL, x.description, NULL FROM tasks x
         WHERE x.owner_id = r.owner_id AND x.campaign_contact_id = r.id AND x.status = 'incomplete'
         ORDER BY x.due_at, x.id LIMIT 1)) step
    ORDER BY step.at LIMIT 1) n ON true
ORDER BY r.contact_id DESC
