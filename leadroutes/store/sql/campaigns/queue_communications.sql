-- Turns campaign steps that the caller has taken into queued messages. A step that was stopped and resumed has its
-- message queued again; id is null where the message has been dealt with. is_of_birthdays: the step repeats, and the
-- domain decides when. pauses: its campaign may wait until someone has the lead, which hold_pausing_steps finds out.
WITH taken AS (
    UPDATE contact_communications c SET taken_at = :now
    WHERE c.id = ANY (:taken::bigint[])
    RETURNING c.*
), made AS (
    INSERT INTO messages (owner_id, kind, channel, lead_id, contact_id, communication_id, created_at)
    SELECT owner_id, 'campaign',
           CASE type WHEN 'Email Contact' THEN 'email' WHEN 'Text Contact' THEN 'text' ELSE 'call' END,
           lead_id, contact_id, id, :now
    FROM taken
    ORDER BY send_at, id
    ON CONFLICT (owner_id, communication_id) WHERE communication_id IS NOT NULL DO UPDATE
        SET state = 'queued', reason = NULL, attempts = 0
        WHERE messages.state IN ('suppressed', 'failed')
    RETURNING owner_id, id, communication_id
)
SELECT taken.owner_id, made.id, taken.id AS communication_id, taken.send_at AS due_at,
       a.id IS NOT NULL AS is_of_birthdays, taken.campaign_id,
       taken.lead_id IS NOT NULL AND (SELECT p.pause_on_offer FROM campaigns p WHERE p.id = taken.campaign_id) AS pauses
FROM taken
LEFT JOIN made ON made.owner_id = taken.owner_id AND made.communication_id = taken.id
LEFT JOIN (campaigns g JOIN campaign_actions a ON a.owner_id = g.owner_id AND a.trigger_type = 2)
    ON g.id = taken.campaign_id AND a.id = taken.action_id
