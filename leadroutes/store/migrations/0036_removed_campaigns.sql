------------------------------------------------------------------------- campaigns whose removal is still carried out

-- A campaign that has been removed while more ran than one request is to end: the worker ends its steps and deletes its
-- runs in batches. Nothing of it leaves, or is shown as going on, from the removal on. A row goes once nothing is left.
CREATE TABLE removed_campaigns (
    owner_id bigint NOT NULL,                        -- who had it; the account may have been deleted with it
    id bigint NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL,
    removed_at timestamptz NOT NULL,
    removed_by bigint REFERENCES users ON DELETE SET NULL,
    PRIMARY KEY (owner_id, id)
);

-- A trigger, so that whatever deletes a campaign leaves nothing behind: until now these keys changed all rows at once.
-- Steps and runs begin only while their campaign is locked.
CREATE FUNCTION note_removed_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM contact_communications WHERE campaign_id = OLD.id)
       OR EXISTS (SELECT FROM campaign_contacts WHERE campaign_id = OLD.id) THEN
        INSERT INTO removed_campaigns (owner_id, id, name, removed_at)
        SELECT OLD.owner_id, OLD.id, OLD.name, k.domain_anchor + (clock_timestamp() - k.real_anchor) * k.scale
        FROM domain_clock k;
        PERFORM pg_notify('leadroutes_wake', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_removed_campaign AFTER DELETE ON campaigns
    FOR EACH ROW EXECUTE FUNCTION note_removed_campaign();
ALTER TABLE campaign_contacts DROP CONSTRAINT campaign_contacts_campaign_id_fkey;
ALTER TABLE contact_communications DROP CONSTRAINT contact_communications_campaign_id_fkey;
