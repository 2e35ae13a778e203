-- Gives the routes of an owner's lead source the priorities 1, 2, 3 … in the order of :ids, if these are exactly the
-- routes that there are; :sorted_ids are the same, sorted. Returns the ids that there are, sorted, and in the order in
-- which they were tried before.
WITH present AS MATERIALIZED (
    SELECT r.id, r.priority, NOT is_selective(r) AS takes_all FROM lead_routes r
    WHERE r.owner_id = :owner_id AND r.lead_source_id = :lead_source_id
    ORDER BY r.id
    FOR NO KEY UPDATE
), moved AS (
    UPDATE lead_routes r SET priority = w.place
    FROM unnest(:ids::bigint[]) WITH ORDINALITY AS w (id, place)
    WHERE r.owner_id = :owner_id AND r.id = w.id AND r.priority <> w.place
      AND (SELECT array_agg(p.id ORDER BY p.id) FROM present p) = :sorted_ids::bigint[]
)
SELECT coalesce(array_agg(p.id ORDER BY p.id), '{}') AS ids,
    coalesce(array_agg(p.id ORDER BY p.priority, p.takes_all, p.id), '{}') AS tried
FROM present p
