-- Adds lead routes from a brokerage file and returns how many were new.
WITH added AS (
    INSERT INTO lead_routes (owner_id, team_id, campaign_id, lead_source_id, contact_source_id, distribution_target,
        team_selection_method, filter, is_active, priority, campaign_start, conditions, conditions_text,
        returning_contact)
    SELECT :owner_id, given.team_id, given.campaign_id, given.lead_source_id, given.contact_source_id,
           given.distribution_target, given.team_selection_method, given.filter, given.is_active, given.priority,
           given.campaign_start, given.conditions, given.conditions_text, given.returning_contact
    FROM jsonb_to_recordset(:records) AS given (
        team_id bigint, campaign_id bigint, lead_source_id bigint, contact_source_id bigint, distribution_target text,
        team_selection_method text, filter text, is_active boolean, priority integer, campaign_start text,
        conditions json, conditions_text text, returning_contact text
    )
    WHERE NOT EXISTS (
        SELECT FROM lead_routes AS known
        WHERE known.owner_id = :owner_id AND known.lead_source_id = given.lead_source_id
          AND known.contact_source_id = given.contact_source_id AND known.campaign_id = given.campaign_id
          AND known.distribution_target = given.distribution_target COLLATE "C"
          AND (known.team_id, known.team_selection_method, known.filter, known.conditions::jsonb)
              IS NOT DISTINCT FROM (given.team_id, given.team_selection_method, given.filter, given.conditions::jsonb)
    )
    RETURNING id
)
SELECT count(*) FROM added
