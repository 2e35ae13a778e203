-- Notes up to which contact what waits is looked at again; without :after_id it is done.
WITH done AS (
    DELETE FROM changed_time_zones WHERE owner_id = :owner_id AND :after_id::bigint IS NULL
)
UPDATE changed_time_zones SET after_id = :after_id WHERE owner_id = :owner_id AND :after_id IS NOT NULL
