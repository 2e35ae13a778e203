-- Tables of which the planner knows nothing yet, with whether they have grown to where that matters.
SELECT relname AS name, pg_relation_size(oid) >= 5 * 8192 AS has_grown
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND reltuples <= 0
  AND relname IN ('contacts', 'leads', 'offers', 'messages', 'arrivals', 'idempotency_keys', 'contact_identities',
                  'claims', 'contact_communications')
