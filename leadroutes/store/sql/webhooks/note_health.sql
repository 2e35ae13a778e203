-- Records what has failed at a webhook since its last success, prolongs the lease of the worker that has it, and
-- switches it off where :why_off says why.
UPDATE webhooks
SET given_up = :given_up, failing_since = :failing_since::timestamptz,
    taken_until = CASE WHEN taken_by = :worker_id::text::uuid THEN now() + :lease ELSE taken_until END,
    is_active = is_active AND :why_off::text IS NULL,
    disabled_at = CASE WHEN :why_off IS NULL THEN disabled_at ELSE date_trunc('milliseconds', now()) END,
    disabled_reason = coalesce(:why_off, disabled_reason)
WHERE owner_id = :owner_id AND id = :webhook_id
