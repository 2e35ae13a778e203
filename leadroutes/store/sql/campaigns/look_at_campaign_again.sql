-- Has waiting steps of a campaign looked at again, in the order of their ids, so many at most. Returns the last of
-- them; nothing where there is no more.
WITH held AS (
    SELECT owner_id, id FROM contact_communications
    WHERE campaign_id = :campaign_id AND id > :after_id
      AND is_active AND taken_at IS NULL AND waits_until IS NOT NULL
    ORDER BY id LIMIT :most
    FOR NO KEY UPDATE
), again AS (
    UPDATE contact_communications s SET waits_until = NULL
    FROM held WHERE s.owner_id = held.owner_id AND s.id = held.id
    RETURNING s.id
)
SELECT max(id) FROM again
