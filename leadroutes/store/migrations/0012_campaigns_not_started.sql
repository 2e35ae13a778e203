-- That a route's campaign was not started for a lead, and why, belongs to the lead's history. The other kinds stay.
ALTER TABLE lead_events DROP CONSTRAINT lead_events_kind_check, ADD CONSTRAINT lead_events_kind_check CHECK (kind IN
    ('touched', 'updated', 'reassigned by the source', 'routed', 'declined', 'skipped', 'expired', 'unclaimed',
     'claimed', 'assigned', 'withdrawn', 'campaign not started')) NOT VALID;
