-------------------------------------------------------------------------- rule sets that are out of date, in one order

-- Increases users.rules_version of these owners, who are locked in the order of their ids: of two changes that concern
-- the same owners one waits for the other. They are found by their ids; until now every user was looked at.
CREATE FUNCTION bump_rules_versions(owner_ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = ANY (owner_ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE users SET rules_version = rules_version + 1 WHERE id = ANY (owner_ids);
END $$;

CREATE OR REPLACE FUNCTION bump_rules_version_of_teams() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bump_rules_versions(ARRAY(SELECT NEW.id UNION SELECT owner_id FROM team_members WHERE user_id = NEW.id));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION bump_rules_version_of_preferences() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bump_rules_versions(
        ARRAY(SELECT NEW.user_id UNION SELECT owner_id FROM team_members WHERE user_id = NEW.user_id));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION bump_rules_version_of_routes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END;
BEGIN
    PERFORM FROM campaigns WHERE id = changed FOR NO KEY UPDATE;
    PERFORM bump_rules_versions(ARRAY(SELECT DISTINCT owner_id FROM lead_routes WHERE campaign_id = changed));
    RETURN NULL;
END $$;
