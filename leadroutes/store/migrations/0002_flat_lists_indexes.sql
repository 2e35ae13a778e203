-- Filters and orders of an owner's leads, each with the id, so that a page is the beginning of an index. Their predicate is
-- always true and only lists ask for it (`keyed` in api/resources/leads.py): no foreign key is ever checked with them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_created ON leads (owner_id, created_at, id) WHERE id > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_modified ON leads (owner_id, modified_at, id) WHERE id > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_source ON leads (owner_id, source_id NULLS FIRST, id) WHERE id > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_type ON leads (owner_id, type NULLS FIRST, id) WHERE id > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_zipcode ON leads (owner_id, zipcode NULLS FIRST, id) WHERE id > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_claimer ON leads (owner_id, claimed_by_user_id NULLS FIRST, id) WHERE id > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_by_contact ON leads (owner_id, contact_id, id) WHERE id > 0;

-- What a user sees of others' records, by owner.
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_shown ON offers (user_id, id)
    WHERE notified_at IS NOT NULL AND state <> 'withdrawn';
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_of_user ON offers (user_id, owner_id, lead_id) INCLUDE (state, notified_at);
-- An offer by its id alone; a hash has no order, so no list walks through the offers of everybody.
CREATE INDEX CONCURRENTLY IF NOT EXISTS offers_by_id ON offers USING hash (id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS claims_of_user ON claims (user_id, owner_id, lead_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS contacts_of_assigned ON contacts (assigned_user_id, owner_id, id)
    WHERE assigned_user_id IS NOT NULL;
