-- Deletes so many runs of a campaign, which no step names any more, and returns how many there were.
WITH gone AS (
    DELETE FROM campaign_contacts
    WHERE id = ANY (ARRAY(SELECT id FROM campaign_contacts WHERE campaign_id = :campaign_id LIMIT :most))
    RETURNING 1
)
SELECT count(*) FROM gone
