-- $1 and $2 leads whose offers, or whose end, do not count, $3 campaign steps and $4 tasks that do not. The earliest moment
-- at which anything is due, or null: four looks at the first entry of an index.
SELECT least(
    (SELECT min(notify_at) FROM offers WHERE state = 'scheduled' AND lead_id <> ALL ($1::bigint[])),
    (SELECT min(lapses_at) FROM leads WHERE lapses_at IS NOT NULL AND id <> ALL ($2::bigint[])),
    (SELECT min(send_at) FROM contact_communications
     WHERE is_active AND taken_at IS NULL AND id <> ALL ($3::bigint[])),
    (SELECT min(recurs_at) FROM tasks WHERE recurs_at IS NOT NULL AND id <> ALL ($4::bigint[])))
