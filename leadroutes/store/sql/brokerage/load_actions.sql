-- Adds campaign actions from a brokerage file and returns how many were new.
WITH added AS (
    INSERT INTO campaign_actions (owner_id, campaign_id, type, assigned_user_id, template_id, timing_type,
                                  delay_by_days, dispatch_time, delay_by_seconds, dispatch_datetime, recurrence,
                                  trigger_type, is_stopped_on_text_reply, description, send_window, conditions,
                                  conditions_text, variants, smallest_difference)
    SELECT :owner_id, given.campaign_id, given.type, given.assigned_user_id, given.template_id, given.timing_type,
           given.delay_by_days, given.dispatch_time, given.delay_by_seconds, given.dispatch_datetime, given.recurrence,
           given.trigger_type, given.is_stopped_on_text_reply, given.description, given.send_window, given.conditions,
           given.conditions_text, given.variants, given.smallest_difference
    FROM json_to_recordset(:records) AS given (
        campaign_id bigint, type text, assigned_user_id bigint, template_id bigint, timing_type text,
        delay_by_days integer, dispatch_time text, delay_by_seconds integer, dispatch_datetime timestamptz,
        recurrence text, trigger_type integer, is_stopped_on_text_reply boolean, description text, send_window json,
        conditions json, conditions_text text, variants json, smallest_difference integer
    )
    RETURNING id
)
SELECT count(*) FROM added
