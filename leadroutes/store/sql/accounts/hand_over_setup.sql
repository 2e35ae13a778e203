-- Gives a leaving user's setup to the successor: teams with members, options, turns and invitations, routes, intake
-- keys, phone numbers, agents of listings, and the lead sources, campaigns, folders and templates that they refer to. A
-- listing that has an agent in the successor's account already stays behind. It is one statement because the foreign
-- keys of all of them include the owner and are checked at its end. Offers of leads that stay behind no longer name the
-- team, and no one acts for the closed account any more.
WITH source AS (
    SELECT s.id, min(k.id) AS new_id
    FROM contact_sources s JOIN contact_sources k ON k.owner_id = :successor_id AND lower(k.name) = lower(s.name)
    WHERE s.owner_id = :user_id
    GROUP BY s.id
), offer AS (
    UPDATE offers SET team_id = NULL WHERE owner_id = :user_id AND team_id IS NOT NULL
), team AS (
    UPDATE teams SET owner_id = :successor_id WHERE owner_id = :user_id
), member AS (
    UPDATE team_members SET owner_id = :successor_id WHERE owner_id = :user_id
), invitation AS (
    UPDATE team_invitations SET owner_id = :successor_id WHERE owner_id = :user_id
), delegate AS (
    DELETE FROM delegates WHERE owner_id = :user_id
), option AS (
    UPDATE team_member_distribution_options SET owner_id = :successor_id WHERE owner_id = :user_id
), turn AS (
    UPDATE team_turns SET owner_id = :successor_id WHERE owner_id = :user_id
), lead_source AS (
    UPDATE lead_sources SET owner_id = :successor_id WHERE owner_id = :user_id
), folder AS (
    UPDATE template_folders SET owner_id = :successor_id WHERE owner_id = :user_id
), template AS (
    UPDATE templates SET owner_id = :successor_id WHERE owner_id = :user_id
), campaign AS (
    UPDATE campaigns c
    SET owner_id = :successor_id,
        name = CASE WHEN k.id IS NULL THEN c.name ELSE c.name || ' (' || c.id || ')' END,
        name_key = CASE WHEN k.id IS NULL THEN c.name_key ELSE c.name_key || ' (' || c.id || ')' END
    FROM campaigns own
    LEFT JOIN campaigns k ON k.owner_id = :successor_id AND k.name_key = own.name_key
    WHERE c.owner_id = :user_id AND own.owner_id = :user_id AND own.id = c.id
), action AS (
    UPDATE campaign_actions SET owner_id = :successor_id WHERE owner_id = :user_id
), route AS (
    UPDATE lead_routes r
    SET owner_id = :successor_id, contact_source_id = source.new_id,
        name = CASE WHEN EXISTS (SELECT FROM lead_route_names k WHERE k.owner_id = :successor_id AND k.name = r.name)
                    THEN left(r.name, 75) || ' (' || r.id || ')' ELSE r.name END
    FROM source WHERE r.owner_id = :user_id AND source.id = r.contact_source_id
), number AS (
    UPDATE phone_numbers n
    SET owner_id = :successor_id,
        intake_key_id = (SELECT k.id FROM intake_keys k
                         WHERE k.owner_id = n.owner_id AND k.id = n.intake_key_id AND k.revoked_at IS NULL)
    WHERE n.owner_id = :user_id
), listing AS (
    UPDATE listing_agents a SET owner_id = :successor_id
    WHERE a.owner_id = :user_id
      AND NOT EXISTS (SELECT FROM listing_agents k WHERE k.owner_id = :successor_id AND k.mls_key = a.mls_key)
), key AS (
    UPDATE intake_keys
    SET owner_id = :successor_id,
        contact_source_id = (SELECT new_id FROM source WHERE source.id = intake_keys.contact_source_id)
    WHERE owner_id = :user_id AND revoked_at IS NULL
)
UPDATE users SET rules_version = rules_version + 1 WHERE id IN (:user_id, :successor_id)
