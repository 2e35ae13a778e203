-- Returns the actions of a campaign whose timing has been changed since a moment, or a minute before, as clocks differ;
-- also those whose change was still being carried over then.
SELECT id FROM campaign_actions
WHERE campaign_id = :campaign_id AND timed_at >= :since::timestamptz - interval '1 minute'
UNION
SELECT x.action_id FROM changed_actions x
WHERE x.campaign_id = :campaign_id AND coalesce(x.done_at, 'infinity') >= :since - interval '1 minute'
