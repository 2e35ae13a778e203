-- Writes acts of people, each list one column; :changes are JSON texts.
INSERT INTO audit_entries (
    owner_id, at, user_id, application_id, method, resource, record_id, label, changes, is_about_user)
SELECT owner_id, at, user_id, application_id, method, resource, record_id, label, changes::json, is_about_user
FROM unnest(
    :owner_ids::bigint[], :moments::timestamptz[], :user_ids::bigint[], :application_ids::bigint[], :methods::text[],
    :resources::text[], :record_ids::bigint[], :labels::text[], :changes::text[], :are_about_users::boolean[]
) AS act (owner_id, at, user_id, application_id, method, resource, record_id, label, changes, is_about_user)
