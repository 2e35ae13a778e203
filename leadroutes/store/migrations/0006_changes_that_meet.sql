-- Two changes that are made at the same moment, neither of which sees the other: a step is added to a campaign while a route
-- to it is being made, a person is changed while he becomes a member. Whoever comes second waits, and then sees the first;
-- otherwise a rule set that was built between the two commits would pass for the present one for ever.

CREATE OR REPLACE FUNCTION bump_rules_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' AND TG_TABLE_NAME = 'lead_routes' THEN
        PERFORM FROM campaigns WHERE id = NEW.campaign_id FOR SHARE;
    ELSIF TG_OP <> 'DELETE' AND TG_TABLE_NAME = 'team_members' THEN
        PERFORM FROM users WHERE id = NEW.user_id FOR SHARE;
    END IF;
    UPDATE users SET rules_version = rules_version + 1
    WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.owner_id ELSE NEW.owner_id END;
    RETURN NULL;
END $$;

-- (bump_rules_version_of_teams stays as it is: whoever changes a person's row holds it.)
CREATE OR REPLACE FUNCTION bump_rules_version_of_routes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END;
BEGIN
    PERFORM FROM campaigns WHERE id = changed FOR NO KEY UPDATE;
    UPDATE users SET rules_version = rules_version + 1
    WHERE id IN (SELECT owner_id FROM lead_routes WHERE campaign_id = changed);
    RETURN NULL;
END $$;
