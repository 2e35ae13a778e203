-- Returns the tables that the planner takes for small, and whether they have outgrown its statistics by so much that it
-- matters.
SELECT relname AS name, pg_relation_size(oid) >= 8192 * greatest(5, 4 * relpages) AS has_grown
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND reltuples < 10000
  AND relname IN ('contacts', 'leads', 'offers', 'messages', 'arrivals', 'idempotency_keys', 'contact_identities',
                  'claims', 'campaign_contacts', 'contact_communications', 'rule_sets', 'tasks')
