-- A junk lead that no one has is unclaimed, is offered to no one and does not lapse; one of an import remains history.
SELECT l.owner_id, l.id AS lead_id, l.junk_reason, l.unclaimed_at, l.lapses_at
FROM leads l
WHERE l.junk_reason IS NOT NULL AND NOT l.is_imported
  AND NOT EXISTS (SELECT FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id)
  AND (l.unclaimed_at IS NULL OR l.lapses_at IS NOT NULL
       OR EXISTS (SELECT FROM offers o WHERE o.owner_id = l.owner_id AND o.lead_id = l.id
                  AND o.state IN ('scheduled', 'notified')))
