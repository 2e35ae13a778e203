-- :excluded_offer_leads and :excluded_lapse_leads leads whose offers, or whose end, do not count, :excluded_communications campaign steps and :excluded_tasks tasks that do not. The earliest moment
-- at which anything is due, or null: four looks at the first entry of an index.
SELECT least(
    (SELECT min(notify_at) FROM offers WHERE state = 'scheduled' AND lead_id <> ALL (:excluded_offer_leads::bigint[])),
    (SELECT min(lapses_at) FROM leads WHERE lapses_at IS NOT NULL AND id <> ALL (:excluded_lapse_leads::bigint[])),
    (SELECT min(send_at) FROM contact_communications
     WHERE is_active AND taken_at IS NULL AND id <> ALL (:excluded_communications::bigint[])),
    (SELECT min(recurs_at) FROM tasks WHERE recurs_at IS NOT NULL AND id <> ALL (:excluded_tasks::bigint[])))
