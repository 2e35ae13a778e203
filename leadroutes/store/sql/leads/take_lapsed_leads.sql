-- Locks and returns the leads that lapsed first without a claim, skipping those that are locked.
SELECT owner_id, id, lapses_at AS due_at FROM leads
WHERE lapses_at <= :now AND id <> ALL (:excluded::bigint[])
ORDER BY lapses_at LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
