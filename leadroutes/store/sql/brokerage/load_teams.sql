-- Adds teams from a brokerage file and returns how many were new. Their creator becomes a member, as of every team.
WITH added AS (
    INSERT INTO teams (owner_id, name, is_contact_resource_sharing_enabled, order_method, mins_until_next_alert,
                       offer_mode, connect_on_claim, distribution_zipcodes, when_nobody_is_available)
    SELECT :owner_id, given.name, given.is_contact_resource_sharing_enabled, given.order_method,
           given.mins_until_next_alert, given.offer_mode, given.connect_on_claim, given.distribution_zipcodes,
           given.when_nobody_is_available
    FROM jsonb_to_recordset(:records) AS given (
        name text, is_contact_resource_sharing_enabled boolean, order_method text, mins_until_next_alert integer,
        offer_mode text, connect_on_claim boolean, distribution_zipcodes text[], when_nobody_is_available text
    )
    WHERE NOT EXISTS (SELECT FROM teams AS known
                      WHERE known.owner_id = :owner_id AND known.name = given.name COLLATE "C")
    RETURNING id, is_contact_resource_sharing_enabled
), creator AS (
    INSERT INTO team_members (owner_id, team_id, user_id, request_status, is_sharing_accepted)
    SELECT :owner_id, id, :owner_id, 'Accepted', is_contact_resource_sharing_enabled FROM added
)
SELECT count(*) FROM added
