-- Indexes for search, for the states that few leads are in, and for what an agent has to do.
CREATE INDEX CONCURRENTLY IF NOT EXISTS contacts_words ON contacts USING gin (search_words(owner_id,
    ARRAY[first_name, last_name, company], ARRAY[email, secondary_email],
    ARRAY[mobile_phone, home_phone, office_phone], tags));
CREATE INDEX CONCURRENTLY IF NOT EXISTS contact_addresses_words ON contact_addresses USING gin (search_words(owner_id,
    ARRAY[street_address_1, street_address_2, city], NULL, NULL, NULL));
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_words ON leads USING gin (search_words(owner_id, ARRAY[street_address],
    NULL, NULL, NULL)) WHERE street_address IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_on_offer ON leads (owner_id, id) WHERE lapses_at IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_of_no_one ON leads (owner_id, id) WHERE unclaimed_at IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS leads_not_routed ON leads (owner_id, id) WHERE routed_at IS NULL AND NOT is_imported;
CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_to_do ON tasks (assigned_user_id, due_at) WHERE status = 'incomplete';
