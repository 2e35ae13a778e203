-- Returns the routes of an owner by source, in the order in which they are tried, with their places among those of the
-- source; :lead_source_id null means all sources, :after_id the route after which to begin.
WITH ordered AS MATERIALIZED (
    SELECT r.id,
        row_number() OVER by_source AS place,
        count(*) OVER (PARTITION BY r.lead_source_id) AS places,
        row_number() OVER (ORDER BY r.lead_source_id, r.priority, NOT is_selective(r), r.id) AS number
    FROM lead_routes r
    WHERE r.owner_id = :owner_id AND (:lead_source_id::bigint IS NULL OR r.lead_source_id = :lead_source_id)
    WINDOW by_source AS (
        PARTITION BY r.lead_source_id ORDER BY r.priority, NOT is_selective(r), r.id
    )
)
SELECT o.id, o.place, o.places FROM ordered o
WHERE o.number > coalesce((SELECT a.number FROM ordered a WHERE a.id = :after_id::bigint), 0)
ORDER BY o.number
LIMIT :most
