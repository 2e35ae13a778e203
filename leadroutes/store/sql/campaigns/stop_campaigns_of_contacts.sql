-- Ends the campaigns of contacts that stop on :event and have something to do, with everything that has not been sent
-- or done. :owner_ids and :contact_ids are lists of equal length; the runs in :spared go on.
-- planner: scalar lookup, per-row lookup, hidden condition
WITH stopping AS MATERIALIZED (
    SELECT DISTINCT r.owner_id, r.id
    FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]) AS x (owner_id, contact_id)
    CROSS JOIN LATERAL (
        SELECT r.owner_id, r.id, r.campaign_id FROM campaign_contacts r
        WHERE r.owner_id = x.owner_id AND r.contact_id = x.contact_id AND r.ended_at IS NULL OFFSET 0) r
    WHERE r.id <> ALL (:spared::bigint[])
      AND (SELECT :event = ANY (g.stops_on) FROM campaigns g WHERE g.id = r.campaign_id)
      AND coalesce(
          (SELECT true FROM (
               SELECT c.is_active FROM contact_communications c
               WHERE c.owner_id = r.owner_id AND c.campaign_contact_id = r.id OFFSET 0) c
           WHERE c.is_active LIMIT 1),
          (SELECT true FROM tasks t
           WHERE t.owner_id = r.owner_id AND t.campaign_contact_id = r.id AND t.status = 'incomplete' LIMIT 1),
          false)
), run AS MATERIALIZED (
    UPDATE campaign_contacts r SET ended_at = :now, stopped_because = :reason
    FROM stopping s
    WHERE r.owner_id = s.owner_id AND r.id = s.id AND num_nulls(r.ended_at) = 1
    RETURNING r.owner_id, r.id
), open_task AS (
    UPDATE tasks t SET status = 'deleted', recurs_at = NULL, modified_at = :now
    FROM run WHERE t.owner_id = run.owner_id AND t.campaign_contact_id = run.id AND t.status = 'incomplete'
)
SELECT end_steps(
    ARRAY(SELECT step.id FROM run CROSS JOIN LATERAL (
        SELECT c.id, c.is_active FROM contact_communications c
        WHERE c.owner_id = run.owner_id AND c.campaign_contact_id = run.id OFFSET 0) step WHERE step.is_active),
    :now, NULL, :reason)
