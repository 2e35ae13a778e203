-- Returns what decisions need to know of contacts; contacts that do not exist are missing.
SELECT owner_id, id, source_id, assigned_user_id, time_zone, birthday
FROM contacts
JOIN unnest(:owner_ids::bigint[], :contact_ids::bigint[]) AS wanted (owner_id, id) USING (owner_id, id)
