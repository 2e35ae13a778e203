-- $1 now, $2 how many, $3 leads that are not to be taken. Leads that nobody claimed in time, earliest first, locked.
SELECT owner_id, id, lapses_at AS due_at FROM leads
WHERE lapses_at <= $1 AND id <> ALL ($3::bigint[])
ORDER BY lapses_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
