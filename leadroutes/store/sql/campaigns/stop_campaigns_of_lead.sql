-- Ends the campaigns that a lead has started, with everything that has not been sent or done.
-- planner: per-row lookup, hidden condition
WITH run AS MATERIALIZED (
    UPDATE campaign_contacts r SET ended_at = :now, stopped_by_user_id = :by_user_id, stopped_because = :reason
    WHERE r.owner_id = :owner_id AND r.lead_id = :lead_id AND num_nulls(r.ended_at) = 1
    RETURNING r.owner_id, r.id
), open_task AS (
    UPDATE tasks t SET status = 'deleted', recurs_at = NULL, modified_at = :now
    FROM run WHERE t.owner_id = run.owner_id AND t.campaign_contact_id = run.id AND t.status = 'incomplete'
)
SELECT end_steps(
    ARRAY(SELECT step.id FROM run CROSS JOIN LATERAL (
        SELECT c.id, c.is_active FROM contact_communications c
        WHERE c.owner_id = run.owner_id AND c.campaign_contact_id = run.id OFFSET 0) step WHERE step.is_active),
    :now, :by_user_id, :reason)
