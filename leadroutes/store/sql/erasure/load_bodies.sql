-- Returns the bodies and headers of arrivals.
SELECT id, body, headers::text AS headers FROM arrivals
WHERE owner_id = :owner_id AND id = ANY (:arrival_ids::bigint[])
