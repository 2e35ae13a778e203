-- Returns whether something came into an account that could not be read, and that no one has dealt with.
-- planner: hidden value
SELECT EXISTS (
    SELECT FROM arrivals a
    WHERE a.owner_id = (SELECT :owner_id::bigint) AND a.status = 'rejected' AND a.handled_at IS NULL
) AS has_open_arrivals
