-- $1 owner, $2 contact, $3 now. His campaigns end: what has not been sent never is.
WITH ended AS (
    UPDATE campaign_contacts SET ended_at = $3 WHERE owner_id = $1 AND contact_id = $2 AND ended_at IS NULL
), unsent AS (
    DELETE FROM contact_communications WHERE owner_id = $1 AND contact_id = $2 AND is_active AND taken_at IS NULL
    RETURNING 1
), begun AS (
    UPDATE contact_communications SET is_active = false, completed_at = $3
    WHERE owner_id = $1 AND contact_id = $2 AND is_active AND taken_at IS NOT NULL
    RETURNING 1
)
SELECT (SELECT count(*) FROM unsent) + (SELECT count(*) FROM begun)
