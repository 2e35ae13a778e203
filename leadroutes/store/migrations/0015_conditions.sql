---------------------------------------------------------------------------------------------------- conditions

-- What a route asks of a lead beside its sources and its filter, as JSON, in the order in which it was written, and as
-- a sentence.
ALTER TABLE lead_routes
    ADD COLUMN conditions json,
    ADD COLUMN conditions_text text COLLATE "C";

-- Whether a route takes only some of the leads of its sources: then it is tried before those that take all, at the same
-- priority.
CREATE FUNCTION is_selective(r lead_routes) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(r.filter, '') <> '' OR r.conditions IS NOT NULL;

-- The version before, which runs beside during an upgrade, stores rule sets without the conditions of their routes. They
-- are completed, so that no process of this version goes on deciding without them.
CREATE FUNCTION complete_rule_set() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.rules := jsonb_set(NEW.rules, '{routes}', (
        SELECT coalesce(jsonb_agg(e.route || jsonb_build_object('conditions', r.conditions) ORDER BY e.place), '[]')
        FROM jsonb_array_elements(NEW.rules -> 'routes') WITH ORDINALITY AS e (route, place)
        LEFT JOIN lead_routes r ON r.owner_id = NEW.owner_id AND r.id = (e.route ->> 'id')::bigint));
    RETURN NEW;
END $$;
CREATE TRIGGER complete_rule_set BEFORE INSERT ON rule_sets
    FOR EACH ROW WHEN (NOT jsonb_path_exists(NEW.rules, '$.routes[*].conditions'))
    EXECUTE FUNCTION complete_rule_set();
