-- Returns for how many contacts a change of an action is looked at: those of its open communications and tasks, and,
-- where it is another moment (:is_timed), of all running runs that count from :since on (null: of all), each once.
-- planner: per-row lookup
SELECT (
    SELECT count(*) FROM contact_communications s
    LEFT JOIN LATERAL (
        SELECT true AS is_known FROM campaign_contacts r
        WHERE :is_timed::boolean AND r.owner_id = s.owner_id AND r.id = s.campaign_contact_id AND r.ended_at IS NULL
          AND coalesce(r.counts_from, r.created_at) >= coalesce(:since::timestamptz, '-infinity')
        OFFSET 0) r ON true
    WHERE s.campaign_id = :campaign_id AND s.action_id = :action_id AND s.is_active AND r.is_known IS NULL
) + (
    SELECT count(*) FROM tasks t
    LEFT JOIN LATERAL (
        SELECT true AS is_known FROM campaign_contacts r
        WHERE :is_timed AND r.owner_id = t.owner_id AND r.id = t.campaign_contact_id AND r.ended_at IS NULL
          AND coalesce(r.counts_from, r.created_at) >= coalesce(:since, '-infinity')
        OFFSET 0) r ON true
    WHERE t.campaign_action_id = :action_id AND t.status = 'incomplete' AND r.is_known IS NULL
) + (
    SELECT count(*) FROM campaign_contacts r
    WHERE :is_timed AND r.campaign_id = :campaign_id AND r.ended_at IS NULL
      AND coalesce(r.counts_from, r.created_at) >= coalesce(:since, '-infinity')
)
