-- Returns communications of an action that have not been sent, after :after_id, in the order of their ids, at most so
-- many; of one contact in :every, the same ones each time. is_earlier: its run does not count from :since on (null:
-- only whether it goes on counts).
-- planner: per-row lookup, computed once
SELECT s.owner_id, s.id, s.contact_id, s.run_id, NOT coalesce(r.counts, false) AS is_earlier
FROM (
    SELECT * FROM (
        SELECT s.owner_id, s.id, s.contact_id, s.campaign_contact_id AS run_id FROM contact_communications s
        WHERE s.campaign_id = :campaign_id AND s.action_id = :action_id AND s.is_active AND s.id > :after_id
          AND (:every::bigint = 1 OR (hashint8(s.contact_id) & 2147483647) % :every = 0)
        OFFSET 0) s
    ORDER BY s.id LIMIT :most) s
LEFT JOIN LATERAL (
    SELECT coalesce(r.counts_from, r.created_at) >= coalesce(:since::timestamptz, '-infinity') AS counts
    FROM campaign_contacts r
    WHERE r.owner_id = s.owner_id AND r.id = s.run_id AND r.ended_at IS NULL
    OFFSET 0) r ON true
ORDER BY s.id
