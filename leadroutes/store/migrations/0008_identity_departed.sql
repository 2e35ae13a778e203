-- What was offered to members who had left before this version can no longer be claimed either; a lead that no one else can
-- claim lapses at once. A transaction of its own, as it reads all offers and locks rows only: those of leads first, as claims do.

WITH now AS (
    SELECT domain_anchor + (clock_timestamp() - real_anchor) * scale AS at FROM domain_clock
), departed AS MATERIALIZED (
    SELECT o.owner_id, o.id, o.lead_id
    FROM offers o
    WHERE o.state IN ('notified', 'expired') AND o.team_id IS NOT NULL AND o.user_id <> o.owner_id
      AND NOT EXISTS (SELECT FROM team_members m
                      WHERE m.owner_id = o.owner_id AND m.team_id = o.team_id AND m.user_id = o.user_id
                        AND m.request_status = 'Accepted')
      AND NOT EXISTS (SELECT FROM claims c WHERE c.owner_id = o.owner_id AND c.lead_id = o.lead_id)
), held AS MATERIALIZED (
    SELECT l.owner_id, l.id FROM leads l
    WHERE (l.owner_id, l.id) IN (SELECT owner_id, lead_id FROM departed)
    ORDER BY l.id
    FOR NO KEY UPDATE
), withdrawn AS (
    UPDATE offers o
    SET state = 'withdrawn', reason = 'the member has left the team', closed_at = now.at
    FROM now, departed d JOIN held h ON h.owner_id = d.owner_id AND h.id = d.lead_id
    WHERE o.owner_id = d.owner_id AND o.id = d.id AND o.state IN ('notified', 'expired')
    RETURNING o.owner_id, o.lead_id, o.user_id
), told AS (
    INSERT INTO lead_events (owner_id, lead_id, at, kind, user_id, detail)
    SELECT w.owner_id, w.lead_id, now.at, 'withdrawn', w.user_id, '{"reason": "the member has left the team"}'
    FROM withdrawn w, now
)
UPDATE leads l SET lapses_at = least(l.lapses_at, now.at)
FROM now
WHERE l.lapses_at IS NOT NULL AND (l.owner_id, l.id) IN (SELECT owner_id, lead_id FROM withdrawn)
  AND NOT EXISTS (SELECT FROM offers o
                  WHERE o.owner_id = l.owner_id AND o.lead_id = l.id AND o.state IN ('scheduled', 'notified')
                    AND (o.owner_id, o.id) NOT IN (SELECT owner_id, id FROM departed));
