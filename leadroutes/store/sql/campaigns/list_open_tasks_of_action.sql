-- Returns tasks of an action that have not been done, after :after_id, in the order of their ids, at most so many; of
-- one contact in :every, the same ones each time. The owner is the contact's. is_earlier: its run does not count from
-- :since on (null: only whether it goes on counts).
-- planner: per-row lookup, computed once
SELECT t.owner_id, t.id, t.contact_id, t.run_id, NOT coalesce(r.counts, false) AS is_earlier
FROM (
    SELECT * FROM (
        SELECT t.contact_owner_id AS owner_id, t.id, t.contact_id, t.owner_id AS run_owner_id,
               t.campaign_contact_id AS run_id
        FROM tasks t
        WHERE t.campaign_action_id = :action_id AND t.status = 'incomplete' AND t.id > :after_id
          AND (:every::bigint = 1 OR (hashint8(t.contact_id) & 2147483647) % :every = 0)
        OFFSET 0) t
    ORDER BY t.id LIMIT :most) t
LEFT JOIN LATERAL (
    SELECT coalesce(r.counts_from, r.created_at) >= coalesce(:since::timestamptz, '-infinity') AS counts
    FROM campaign_contacts r
    WHERE r.owner_id = t.run_owner_id AND r.id = t.run_id AND r.ended_at IS NULL
    OFFSET 0) r ON true
ORDER BY t.id
