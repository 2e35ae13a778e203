-- Returns where a webhook leads that the service has switched off and that is still off, and why.
SELECT url, disabled_reason AS reason FROM webhooks
WHERE owner_id = :owner_id AND id = :webhook_id AND NOT is_active AND disabled_at IS NOT NULL
