-- Returns those of these ids of the provider that belong to a message already.
SELECT provider_id FROM messages WHERE provider_id = ANY (:provider_ids::text[])
