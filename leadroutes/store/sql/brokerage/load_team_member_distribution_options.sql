-- Adds distribution options from a brokerage file and returns how many were new. Minutes count only in a team ordered
-- by time.
WITH added AS (
    INSERT INTO team_member_distribution_options (owner_id, team_id, user_id, rank, mins_until_lead_offer,
        assign_automatically, has_call_alert, has_text_alert, has_email_alert,
        has_night_calls, weight, max_open_leads, max_leads_per_day, max_leads_per_week)
    SELECT :owner_id, given.team_id, given.user_id, given.rank,
           CASE teams.order_method WHEN 'Time' THEN given.mins_until_lead_offer ELSE 0 END,
           given.assign_automatically, given.has_call_alert, given.has_text_alert, given.has_email_alert,
           given.has_night_calls, given.weight, given.max_open_leads, given.max_leads_per_day, given.max_leads_per_week
    FROM jsonb_to_recordset(:records) AS given (
        team_id bigint, user_id bigint, rank integer, mins_until_lead_offer integer, assign_automatically boolean,
        has_call_alert boolean, has_text_alert boolean, has_email_alert boolean, has_night_calls boolean,
        weight integer, max_open_leads integer, max_leads_per_day integer, max_leads_per_week integer
    )
    JOIN teams ON teams.owner_id = :owner_id AND teams.id = given.team_id
    ON CONFLICT (owner_id, team_id, user_id) DO NOTHING
    RETURNING id
)
SELECT count(*) FROM added
