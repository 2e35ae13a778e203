-- $1 now, $2 campaign, $3 who removes it. What has not been sent never is.
SELECT end_steps(ARRAY(SELECT id FROM contact_communications WHERE campaign_id = $2 AND is_active), $1, $3, 'the campaign was removed')
