-- :now now, :most how many, :excluded leads that are not to be taken. Leads that nobody claimed in time, earliest first, locked.
SELECT owner_id, id, lapses_at AS due_at FROM leads
WHERE lapses_at <= :now AND id <> ALL (:excluded::bigint[])
ORDER BY lapses_at LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
