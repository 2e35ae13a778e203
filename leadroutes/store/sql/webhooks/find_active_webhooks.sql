-- Returns the webhooks of these owners that are switched on, with the events that each wants; null: all.
SELECT owner_id, id, events FROM webhooks
WHERE owner_id = ANY (:owner_ids::bigint[]) AND is_active
ORDER BY owner_id, id
