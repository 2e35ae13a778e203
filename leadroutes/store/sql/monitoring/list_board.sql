-- Lists an owner's leads with their routes, offers and claims, oldest first, for the board of the demonstration.
SELECT leads.id, concat_ws(' ', contacts.first_name, contacts.last_name) AS name, lead_sources.name AS source,
       leads.type, leads.created_at, leads.unclaimed_at,
       lead_state(claims.claimed_at, leads.unclaimed_at, leads.routed_at, leads.is_imported) AS state,
       CASE
           WHEN leads.routed_at IS NULL THEN 'held'
           WHEN teams.name IS NOT NULL THEN teams.name
           WHEN lead_routes.distribution_target = 'Myself' THEN 'Myself'
           ELSE (SELECT min(offers.reason) FROM offers
                 WHERE offers.owner_id = leads.owner_id AND offers.lead_id = leads.id AND offers.reason IS NOT NULL)
       END AS route,
       (SELECT array_agg(display_name(users) || ' ' || offers.state ORDER BY offers.place, offers.id)
        FROM offers JOIN users ON users.id = offers.user_id
        WHERE offers.owner_id = leads.owner_id AND offers.lead_id = leads.id) AS offers,
       (SELECT count(*) FROM messages
        WHERE messages.owner_id = leads.owner_id AND messages.lead_id = leads.id AND messages.user_id IS NOT NULL
          AND messages.kind IN ('offer', 'unclaimed', 'won') AND messages.state <> 'queued') AS alert_count,
       display_name(winners) AS claimed_by, claims.via, claims.claimed_at
FROM leads
JOIN contacts ON contacts.owner_id = leads.owner_id AND contacts.id = leads.contact_id
LEFT JOIN lead_sources ON lead_sources.id = leads.source_id
LEFT JOIN lead_routes ON lead_routes.owner_id = leads.owner_id AND lead_routes.id = leads.route_id
LEFT JOIN teams ON teams.owner_id = leads.owner_id AND teams.id = leads.team_id
LEFT JOIN claims ON claims.owner_id = leads.owner_id AND claims.lead_id = leads.id
LEFT JOIN users AS winners ON winners.id = claims.user_id
WHERE leads.owner_id = :owner_id
ORDER BY leads.id
