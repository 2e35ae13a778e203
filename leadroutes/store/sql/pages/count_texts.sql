-- Counts the texts of an owner since a moment that the provider has dealt with, and those that carriers refused.
SELECT count(*) AS texts, count(*) FILTER (WHERE error_code = ANY (:refused::integer[])) AS refused
FROM messages
WHERE owner_id = :owner_id AND channel = 'text' AND num_nonnulls(provider_id, error_code) > 0 AND created_at > :since
