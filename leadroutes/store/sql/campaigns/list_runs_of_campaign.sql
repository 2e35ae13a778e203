-- Returns running runs of a campaign that count from :after_at on, in the order of their starts, at most so many. Of
-- those of that moment it returns what comes after :after_id; of one contact in :every, the same ones each time.
SELECT r.id AS run_id, r.id, coalesce(r.counts_from, r.created_at) AS at FROM campaign_contacts r
WHERE r.campaign_id = :campaign_id AND r.ended_at IS NULL
  AND coalesce(r.counts_from, r.created_at) >= coalesce(:after_at::timestamptz, '-infinity')
  AND (coalesce(r.counts_from, r.created_at), r.id) > (coalesce(:after_at::timestamptz, '-infinity'), :after_id::bigint)
  AND (:every::bigint = 1 OR (hashint8(r.contact_id) & 2147483647) % :every = 0)
ORDER BY coalesce(r.counts_from, r.created_at), r.id
LIMIT :most
