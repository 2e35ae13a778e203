-- Notes who set up the installation, and ends all setup codes.
WITH ended AS (DELETE FROM setup_codes)
UPDATE installation SET set_up_by_user_id = :user_id
