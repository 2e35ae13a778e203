-- Lets the steps of campaigns leave that waited until someone has these leads, as soon as their windows let them. All
-- open steps of such a run are changed, also those that are not held, so that this waits for whoever holds one at this
-- moment.
-- planner: per-row lookup, short array, hidden condition
WITH run AS MATERIALIZED (
    SELECT r.owner_id, r.id
    FROM unnest(:owner_ids::bigint[], :lead_ids::bigint[]) AS x (owner_id, lead_id)
    CROSS JOIN LATERAL (
        SELECT r.owner_id, r.id, r.campaign_id FROM campaign_contacts r
        WHERE r.owner_id = x.owner_id AND r.lead_id = x.lead_id AND r.ended_at IS NULL OFFSET 0) r
    WHERE (SELECT g.pause_on_offer FROM campaigns g WHERE g.id = r.campaign_id)
), released AS (
    UPDATE contact_communications c
    SET taken_at = CASE WHEN c.is_held THEN NULL ELSE c.taken_at END,
        waits_until = CASE WHEN c.is_held THEN NULL ELSE c.waits_until END, is_held = false
    WHERE c.is_active::integer = 1
      AND c.id = ANY (ARRAY(SELECT step.id FROM run CROSS JOIN LATERAL (
          SELECT c.id, c.is_active FROM contact_communications c
          WHERE c.owner_id = run.owner_id AND c.campaign_contact_id = run.id OFFSET 0) step WHERE step.is_active))
    RETURNING c.id
)
SELECT count(*) FROM released
