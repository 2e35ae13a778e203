-- :now now, :campaign_id campaign, :by_user_id who removes it. What has not been sent never is.
SELECT end_steps(ARRAY(SELECT id FROM contact_communications WHERE campaign_id = :campaign_id AND is_active), :now, :by_user_id, 'the campaign was removed')
