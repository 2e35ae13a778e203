-- Lists a user's valid personal tokens, without those that belong to sub-accounts.
SELECT id, name, scope, created_at, last_used_at, expires_at FROM access_tokens
WHERE user_id = :user_id AND application_id IS NULL AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > now())
  AND id NOT IN (SELECT token_id FROM sub_accounts WHERE user_id = :user_id AND token_id IS NOT NULL)
ORDER BY id
