-- Replaces the secret of a webhook and returns its id; the one before signs as well until its life is over.
UPDATE webhooks
SET old_secret = secret, old_secret_ends_at = now() + :life, secret = :secret, modified_at = :now
WHERE owner_id = :owner_id AND id = :webhook_id
RETURNING id
