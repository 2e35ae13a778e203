-- Adds campaigns from a brokerage file and returns how many were new.
WITH added AS (
    INSERT INTO campaigns (owner_id, name, name_key, is_broker_sharing_on, is_default, send_window,
                           first_answer_minutes, stops_on, pause_on_offer, created_at, modified_at)
    SELECT :owner_id, given.name, given.name_key, given.is_broker_sharing_on, given.is_default, given.send_window,
           given.first_answer_minutes, given.stops_on, given.pause_on_offer, given.created_at, given.created_at
    FROM json_to_recordset(:records) AS given (
        name text, name_key text, is_broker_sharing_on boolean, is_default boolean, send_window json,
        first_answer_minutes integer, stops_on text[], pause_on_offer boolean, created_at timestamptz
    )
    ON CONFLICT (owner_id, name_key) DO NOTHING
    RETURNING id
)
SELECT count(*) FROM added
