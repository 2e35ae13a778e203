-- Returns a user's second factor, confirmed or not, how many recovery codes are left, and the user's e-mail.
SELECT f.secret, f.confirmed_at, f.last_step,
       (SELECT count(*) FROM recovery_codes c WHERE c.user_id = f.user_id AND c.used_at IS NULL) AS codes_left,
       (SELECT u.email FROM users u WHERE u.id = f.user_id) AS email
FROM second_factors f WHERE f.user_id = :user_id
