-- Returns the earliest moment at which anything is due, or null, by reading the first entry of an index for each kind.
-- What has failed is looked at at once, as is what waits by rules before those of :version. Each parameter named
-- :excluded_… lists the ids that do not count; what waits until a changed action is carried over does not either,
-- nor what is left of a removed campaign.
-- planner: short array, scalar lookup
WITH changing AS MATERIALIZED (SELECT action_id FROM changed_actions WHERE done_at IS NULL),
removed AS MATERIALIZED (SELECT id FROM removed_campaigns)
SELECT least(
    (SELECT min(notify_at) FROM offers WHERE state = 'scheduled' AND lead_id <> ALL (:excluded_offer_leads::bigint[])),
    (SELECT min(lapses_at) FROM leads WHERE lapses_at IS NOT NULL AND id <> ALL (:excluded_lapse_leads::bigint[])),
    (SELECT min(coalesce(waits_until, send_at)) FROM contact_communications
     WHERE is_active AND taken_at IS NULL AND id <> ALL (:excluded_communications::bigint[])
       AND coalesce(action_id, 0) <> ALL (ARRAY(SELECT action_id FROM changing))
       AND coalesce(campaign_id, 0) <> ALL (ARRAY(SELECT id FROM removed))),
    (SELECT CASE WHEN min(held_by) < :version THEN :now::timestamptz END FROM contact_communications
     WHERE is_active AND taken_at IS NULL AND send_at <= :now AND held_by > 0
       AND id <> ALL (:excluded_waiting::bigint[])
       AND coalesce(action_id, 0) <> ALL (ARRAY(SELECT action_id FROM changing))
       AND coalesce(campaign_id, 0) <> ALL (ARRAY(SELECT id FROM removed))),
    (SELECT :now FROM changing WHERE action_id <> ALL (:excluded_actions::bigint[]) LIMIT 1),
    (SELECT :now FROM removed WHERE id <> ALL (:excluded_removals::bigint[]) LIMIT 1),
    (SELECT :now::timestamptz FROM changed_windows WHERE campaign_id <> ALL (:excluded_campaigns::bigint[]) LIMIT 1),
    (SELECT :now FROM changed_time_zones WHERE owner_id <> ALL (:excluded_owners::bigint[]) LIMIT 1),
    (SELECT min(recurs_at) FROM tasks
     WHERE recurs_at IS NOT NULL AND id <> ALL (:excluded_tasks::bigint[])
       AND coalesce(campaign_action_id, 0) <> ALL (ARRAY(SELECT action_id FROM changing))),
    (SELECT :now::timestamptz FROM failed_notices WHERE lead_id <> ALL (:excluded_failure_leads::bigint[]) LIMIT 1),
    (SELECT min(leaves_at) FROM messages m
     WHERE leaves_at IS NOT NULL AND id <> ALL (:excluded_messages::bigint[])
       AND ((SELECT true FROM changing LIMIT 1) IS NULL OR m.communication_id IS NULL
            OR coalesce((SELECT s.action_id FROM contact_communications s
                         WHERE s.owner_id = m.owner_id AND s.id = m.communication_id), 0)
               <> ALL (ARRAY(SELECT action_id FROM changing)))),
    (SELECT min(asks_at) FROM messages WHERE asks_at IS NOT NULL AND id <> ALL (:excluded_questions::bigint[])),
    (SELECT min(digest_at) FROM alert_preferences
     WHERE digest_at IS NOT NULL AND user_id <> ALL (:excluded_digest_users::bigint[])))
