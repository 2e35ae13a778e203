-- What an arrival costs does not depend on how many owners there are, nor on how large its own owner is among them.

-- Most owners have few contacts, and some have a hundred thousand. From statistics of the many, the planner concludes that
-- an owner, or a campaign, has one; then an index by that alone seems as good as the one by the contact or the address, and
-- each arrival reads all that its owner has. As for leads and contacts, it guesses a thousandth.
ALTER TABLE contact_identities ALTER COLUMN owner_id SET (n_distinct = 1000);
ALTER TABLE campaign_contacts ALTER COLUMN owner_id SET (n_distinct = 1000);
ALTER TABLE campaign_contacts ALTER COLUMN campaign_id SET (n_distinct = 1000);
ALTER TABLE contact_communications ALTER COLUMN owner_id SET (n_distinct = 1000);

-- The rules once more, as they are read: to write jsonb as text takes ten times as long as to find and unpack it. It is in
-- the row itself, and the jsonb beside it. Null: the version before stored it, or an older one.
ALTER TABLE rule_sets ADD COLUMN rules_text text;
ALTER TABLE rule_sets ALTER COLUMN rules_text SET STORAGE MAIN;

-- By a trigger, so that neither the version before nor a later migration can leave a text that says something else. It is
-- the last one by its name: those that complete what the version before stores come first.
CREATE FUNCTION write_rule_set_as_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.rules_text := NEW.rules::text;
    RETURN NEW;
END $$;
CREATE TRIGGER write_rule_set_as_text BEFORE INSERT OR UPDATE OF rules ON rule_sets
    FOR EACH ROW EXECUTE FUNCTION write_rule_set_as_text();
