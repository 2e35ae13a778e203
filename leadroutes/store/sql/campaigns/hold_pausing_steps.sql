-- Holds steps that were just taken and whose campaign waits until someone has the lead: no message leaves, until
-- release_communications takes them up again. Returns those held. The caller has locked the steps, in a statement
-- before this one: of a claim at the same moment, either this one sees the claim, or the claim finds the steps held.
-- The campaigns are locked against a change of pause_on_offer.
WITH pausing AS MATERIALIZED (
    SELECT g.id FROM campaigns g WHERE g.id = ANY (:campaign_ids::bigint[]) AND g.pause_on_offer
    ORDER BY g.id
    FOR SHARE
), held AS (
    UPDATE contact_communications c SET is_held = true
    FROM unnest(:owner_ids::bigint[], :communication_ids::bigint[]) AS x (owner_id, id)
    WHERE c.owner_id = x.owner_id AND c.id = x.id AND c.campaign_id = ANY (ARRAY(SELECT id FROM pausing))
      AND is_without_claim(c.owner_id, c.lead_id)
    RETURNING c.owner_id, c.id
), said AS (
    UPDATE messages m SET state = 'suppressed', reason = 'it waits until someone has the lead'
    FROM held WHERE m.owner_id = held.owner_id AND m.communication_id = held.id AND m.state = 'queued'
)
SELECT owner_id, id FROM held
