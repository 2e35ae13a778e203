-- What lists need so that they cost the same whatever an owner has: the claimer in the lead's own row, where an index can
-- order by it, and the owners of whose records a user sees some.

ALTER TABLE leads ADD COLUMN claimed_by_user_id bigint;  -- as the lead's claim says; null: not claimed

UPDATE leads l SET claimed_by_user_id = c.user_id FROM claims c WHERE c.owner_id = l.owner_id AND c.lead_id = l.id;

-- A lead names its claimer, whichever statement wrote the claim; one that wrote the lead as well leaves nothing to do.
CREATE FUNCTION keep_claimer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE leads SET claimed_by_user_id = NEW.user_id
    WHERE owner_id = NEW.owner_id AND id = NEW.lead_id AND claimed_by_user_id IS DISTINCT FROM NEW.user_id;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_claimer AFTER INSERT OR UPDATE OF user_id ON claims
    FOR EACH ROW EXECUTE FUNCTION keep_claimer();

-- An owner's part of these tables is a guess where the planner does not know the owner. It guesses a thousandth, also where
-- there are few owners: then it looks owners up by an index that begins with the owner, and never walks the index of ids.
ALTER TABLE leads ALTER COLUMN owner_id SET (n_distinct = 1000);
ALTER TABLE contacts ALTER COLUMN owner_id SET (n_distinct = 1000);
-- A filter by e-mail finds few.
CREATE STATISTICS contacts_by_email ON (lower(email)) FROM contacts;

-- The owners of contacts that are assigned to a user, one look at the index for each.
CREATE FUNCTION owners_of_contacts_of(assigned bigint) RETURNS SETOF bigint LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE found (owner_id) AS (
        SELECT (SELECT a.owner_id FROM contacts a WHERE a.assigned_user_id = assigned
                ORDER BY a.owner_id LIMIT 1)
        UNION ALL
        SELECT (SELECT a.owner_id FROM contacts a WHERE a.assigned_user_id = assigned AND a.owner_id > f.owner_id
                ORDER BY a.owner_id LIMIT 1)
        FROM found f WHERE f.owner_id IS NOT NULL
    )
    SELECT f.owner_id FROM found f WHERE f.owner_id IS NOT NULL;
END;

-- The owners of leads that a user may see because of a claim, an offer or the contact.
CREATE FUNCTION owners_of_leads_shown_to(viewer bigint) RETURNS SETOF bigint LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE claimed (owner_id) AS (
        SELECT (SELECT c.owner_id FROM claims c WHERE c.user_id = viewer ORDER BY c.owner_id LIMIT 1)
        UNION ALL
        SELECT (SELECT c.owner_id FROM claims c WHERE c.user_id = viewer AND c.owner_id > f.owner_id
                ORDER BY c.owner_id LIMIT 1)
        FROM claimed f WHERE f.owner_id IS NOT NULL
    ), offered (owner_id) AS (
        SELECT (SELECT o.owner_id FROM offers o WHERE o.user_id = viewer ORDER BY o.owner_id LIMIT 1)
        UNION ALL
        SELECT (SELECT o.owner_id FROM offers o WHERE o.user_id = viewer AND o.owner_id > f.owner_id
                ORDER BY o.owner_id LIMIT 1)
        FROM offered f WHERE f.owner_id IS NOT NULL
    )
    SELECT c.owner_id FROM claimed c WHERE c.owner_id IS NOT NULL
    UNION SELECT o.owner_id FROM offered o WHERE o.owner_id IS NOT NULL
    UNION SELECT a.owner_id FROM owners_of_contacts_of(viewer) a (owner_id);
END;
