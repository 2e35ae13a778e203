-- Returns the earliest moment at which anything is due, or null, by reading the first entry of four indexes. Each
-- parameter lists the ids that do not count.
SELECT least(
    (SELECT min(notify_at) FROM offers WHERE state = 'scheduled' AND lead_id <> ALL (:excluded_offer_leads::bigint[])),
    (SELECT min(lapses_at) FROM leads WHERE lapses_at IS NOT NULL AND id <> ALL (:excluded_lapse_leads::bigint[])),
    (SELECT min(send_at) FROM contact_communications
     WHERE is_active AND taken_at IS NULL AND id <> ALL (:excluded_communications::bigint[])),
    (SELECT min(recurs_at) FROM tasks WHERE recurs_at IS NOT NULL AND id <> ALL (:excluded_tasks::bigint[])))
