-- Records what the provider says of a call that it has accepted, and returns whether the call has lost its purpose in
-- the meantime. What it has reported since then counts more.
WITH placed AS (
    UPDATE calls SET provider_id = coalesce(provider_id, :provider_id)
    WHERE token_hash = :token_hash
    RETURNING owner_id, message_id, provider_id, unwanted_at IS NOT NULL AND answered_at IS NULL AND ended_at IS NULL
        AS is_unwanted
), noted AS (
    UPDATE messages m
    SET provider_id = placed.provider_id, provider_state = :state, error_code = NULL, delivered_at = NULL
    FROM placed
    WHERE m.owner_id = placed.owner_id AND m.id = placed.message_id
      AND m.provider_id IS DISTINCT FROM placed.provider_id
)
SELECT is_unwanted FROM placed
