-- Every user has an availability, and decisions read it of everyone who has set hours, a pause or time off.
SELECT u.id AS user_id, u.may_be_away
FROM users u LEFT JOIN availabilities a ON a.id = u.id
WHERE a.id IS NULL
   OR (NOT u.may_be_away AND (a.weekly_hours IS NOT NULL OR a.is_paused
                              OR EXISTS (SELECT FROM time_off f WHERE f.user_id = u.id)))
