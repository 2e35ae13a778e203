-- Returns the provider's id of a call that still rings; nothing for one that has been answered or has ended.
SELECT provider_id FROM calls
WHERE owner_id = :owner_id AND id = :call_id AND answered_at IS NULL AND ended_at IS NULL AND provider_id IS NOT NULL
