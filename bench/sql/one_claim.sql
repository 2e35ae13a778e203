-- For pgbench: what a claim changes, in one statement and one commit: the claim, the offers of the others, the lead, its
-- contact, the journal, and the words to the winner and to the four others, with a job for each.
WITH lead AS (
    SELECT l.owner_id, l.id, l.contact_id FROM leads l
    WHERE l.id = (SELECT nextval('bench_claims')) FOR NO KEY UPDATE
), closed AS (
    UPDATE leads SET lapses_at = NULL, modified_at = now(), claimed_by_user_id =
        (SELECT o.user_id FROM offers o WHERE o.owner_id = lead.owner_id AND o.lead_id = lead.id AND o.place = 0)
    FROM lead WHERE leads.owner_id = lead.owner_id AND leads.id = lead.id
), offer AS (
    UPDATE offers o SET state = CASE WHEN place = 0 THEN 'won' ELSE 'lost' END, closed_at = now()
    FROM lead WHERE o.owner_id = lead.owner_id AND o.lead_id = lead.id
    RETURNING o.owner_id, o.lead_id, o.user_id, o.id, o.place
), claim AS (
    INSERT INTO claims (owner_id, lead_id, user_id, claimed_at, via)
    SELECT owner_id, lead_id, user_id, now(), 'None' FROM offer WHERE place = 0
), contact AS (
    UPDATE contacts c SET assigned_user_id = o.user_id, modified_at = now()
    FROM lead, offer o WHERE o.place = 0 AND c.owner_id = lead.owner_id AND c.id = lead.contact_id
), event AS (
    INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id, by_user_id)
    SELECT owner_id, lead_id, now(), 'claimed', user_id, user_id FROM offer WHERE place = 0
), message AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, offer_id, user_id, created_at)
    SELECT owner_id, CASE WHEN place = 0 THEN 'won' ELSE 'claimed' END, 'email', lead_id, id, user_id, now() FROM offer
    RETURNING owner_id, id
), job AS (
    INSERT INTO pgqueuer (priority, entrypoint, payload, execute_after, status)
    SELECT 0, 'deliver', convert_to('{"owner_id":' || owner_id || ',"id":' || id || '}', 'UTF8'), now(), 'queued' FROM message
    RETURNING id
)
INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) SELECT id, 'queued', 0, 'deliver' FROM job;
