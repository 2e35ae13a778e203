-- Ends the calls that campaigns have asked for with these contacts, as someone has talked with them. The lists are of
-- equal length.
-- planner: per-row lookup
SELECT end_steps(
    ARRAY(SELECT step.id FROM unnest(:owner_ids::bigint[], :contact_ids::bigint[]) AS x (owner_id, contact_id)
          CROSS JOIN LATERAL (
              SELECT s.id FROM contact_communications s
              WHERE s.owner_id = x.owner_id AND s.contact_id = x.contact_id AND s.is_active
                AND s.type = 'Call Contact' AND s.taken_at IS NOT NULL OFFSET 0) step),
    :now, NULL, :reason)
