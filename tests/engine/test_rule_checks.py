"""The check of stored rules: what it reads beside them, that it is never behind, and what a changed route would do."""

import json
from datetime import timedelta

import pytest

from leadroutes.domain.model import Route
from leadroutes.domain.rule_check import CHECKS
from leadroutes.engine.engine import Engine
from leadroutes.store import accounts
from leadroutes.store.postgres import Database
from tests.support.town import Town

CHANNELS = ("email", "text", "call")


@pytest.fixture
async def town(database: Database) -> Town:
    """Leads from Zillow go to Bob; a campaign sends one mail. All is well."""
    town = await Town.create(database)
    await database.execute("UPDATE users SET postal_address = '1 Elm Street', phone = '+13035550142'")
    await town.option("alice", town.team_id, "bob")
    campaign_id = await town.campaign("alice")
    await town.action("alice", campaign_id, template_id=await town.template("alice"))
    await town.route("alice", campaign_id=campaign_id)
    return town


async def codes(town: Town, engine: Engine | None = None) -> list[str]:
    engine = engine or Engine(town.database, CHANNELS)
    found = await engine.rule_checks.check(town.users["alice"])
    return [each.code for each in found.findings]


async def test_nothing_is_said_where_all_is_well(town: Town) -> None:
    assert await codes(town) == []


async def test_what_is_repaired_is_not_found_any_more(town: Town) -> None:
    engine, database = Engine(town.database, CHANNELS), town.database

    await database.execute("UPDATE users SET postal_address = ' '")
    assert await codes(town, engine) == ["no_postal_address"]
    await database.execute("UPDATE users SET postal_address = 'Elm Street'")
    await database.execute("UPDATE templates SET body = '{{ contact.first_name | nonsense }}'")
    assert await codes(town, engine) == ["template_does_not_render"]
    await database.execute(
        "UPDATE templates SET body = '{% for n in (1..900) %}{% for m in (1..900) %}x{% endfor %}{% endfor %}'"
    )
    assert await codes(town, engine) == ["template_does_not_render"]
    await database.execute("UPDATE templates SET body = 'Hello {{ contact.first_name }}'")
    assert await codes(town, engine) == []
    await database.execute("UPDATE team_member_distribution_options SET has_email_alert = false")
    assert await codes(town, engine) == ["no_alert"]


async def test_what_the_leads_of_the_last_days_say(town: Town) -> None:
    alice, database = town.users["alice"], town.database
    async with database.transaction() as transaction:
        await accounts.issue_intake_key(transaction, alice, "Website", "Website", None)
    assert await codes(town) == ["source_without_route"]
    source_id = await town.lead_source("alice")
    contact_id = await town.contact("alice")
    await town.lead("alice", contact_id, source_id=source_id)
    found = await Engine(database, CHANNELS).rule_checks.check(alice)
    assert {each.message.partition(",")[0] for each in found.findings} == {
        "The lead source Website has an intake key", "The lead source Yard sign brought 1 lead in the last 30 days",
    }  # fmt: skip
    await database.move_clock(timedelta(days=40))
    assert await codes(town) == ["source_without_route"]


async def test_zipcodes_that_no_team_has(town: Town) -> None:
    alice, database = town.users["alice"], town.database
    await database.execute("UPDATE teams SET distribution_zipcodes = '{80205}'")
    await database.execute("UPDATE lead_routes SET team_selection_method = 'Zipcode', team_id = NULL")
    route_id = await database.fetchval("SELECT id FROM lead_routes")
    contact_id = await town.contact("alice")
    for zipcode in ("80205-1234", "80999", "80999-0001", None):
        await town.lead("alice", contact_id, source_id=1, zipcode=zipcode, route_id=route_id)

    [finding] = (await Engine(database, CHANNELS).rule_checks.check(alice)).findings

    assert (finding.code, finding.id) == ("zipcode_of_nobody", route_id)
    assert "the zipcode 80999, where 2 leads" in finding.message
    await database.execute("UPDATE teams SET distribution_zipcodes = '{80205, 80999}'")
    assert await codes(town) == []


async def test_an_owner_whose_mail_comes_back(town: Town) -> None:
    alice, database = town.users["alice"], town.database
    await database.execute(
        "INSERT INTO unreachable_users VALUES ($1, 'ALICE@example.com', 'no such mailbox', $2)", alice, town.now
    )
    assert await codes(town) == []
    await database.execute("UPDATE users SET phone = NULL")
    assert await codes(town) == ["owner_cannot_be_told"]


async def test_a_route_is_checked_before_it_is_there(town: Town) -> None:
    checks, database = Engine(town.database, CHANNELS).rule_checks, town.database
    alice, row = town.users["alice"], dict(await database.fetchrow("SELECT * FROM lead_routes"))
    route = Route(**{name: row[name] for name in Route.__struct_fields__})

    assert await checks.check_route(alice, route) == []
    [finding] = await checks.check_route(alice, Route(**{**row_of(route), "id": 0, "priority": 5}))
    assert (finding.code, finding.id) == ("unreachable_route", 0)


def row_of(route: Route) -> dict[str, object]:
    return {name: getattr(route, name) for name in Route.__struct_fields__}


async def test_conditions_of_a_field_that_is_gone(town: Town) -> None:
    database = town.database
    given = {"field": "custom.Shoe Size", "is": "known"}
    field_id = await town.insert("custom_fields", owner_id=town.users["alice"], name="Shoe size", data_type="Text")
    await database.execute("UPDATE lead_routes SET conditions = $1", json.dumps(given))
    assert await codes(town) == []
    await database.execute("DELETE FROM custom_fields WHERE id = $1", field_id)
    assert await codes(town) == ["condition_never_true"]


async def test_what_campaigns_say(town: Town) -> None:
    database, alice, engine = town.database, town.users["alice"], Engine(town.database, CHANNELS)
    await database.execute("UPDATE templates SET body = 'Hello {{ contact.nmae }}'")
    [finding] = (await engine.rule_checks.check(alice)).findings
    assert (finding.code, "contact.nmae" in finding.message) == ("unknown_template_name", True)
    second = await town.template("alice", body="{{ leads }}")
    divided = json.dumps([{"template_id": second, "share": 1}])
    await database.execute("UPDATE campaign_actions SET template_id = NULL, variants = $1", divided)
    [finding] = (await engine.rule_checks.check(alice)).findings
    assert finding.message.endswith("uses names that are not known and stay empty: leads")
    await database.execute("UPDATE templates SET body = 'Hello'")
    await database.execute("UPDATE campaigns SET send_window = $1", json.dumps({"weekly_hours": {}}))
    assert await codes(town, engine) == ["step_never_sent"]
    on_monday = json.dumps({"weekly_hours": {"monday": [["09:00", "10:00"]]}})
    await database.execute("UPDATE campaign_actions SET send_window = $1", on_monday)
    assert await codes(town, engine) == []


async def test_texts_that_no_one_has_agreed_to(town: Town) -> None:
    database, alice, engine = town.database, town.users["alice"], Engine(town.database, CHANNELS)
    await database.execute("UPDATE campaign_actions SET type = 'Text Contact'")
    assert await codes(town, engine) == []  # no lead has come
    route_id = await database.fetchval("SELECT id FROM lead_routes")
    contact_id = await town.contact("alice")
    await town.lead("alice", contact_id, source_id=1, route_id=route_id)
    [finding] = (await engine.rule_checks.check(alice)).findings
    assert (finding.code, finding.id) == ("texts_without_consent", route_id)
    await town.insert(
        "consents", owner_id=alice, contact_id=contact_id, channel="email", how="a form", at=town.now
    )  # fmt: skip
    assert await codes(town, engine) == ["texts_without_consent"]
    await town.insert("consents", owner_id=alice, contact_id=contact_id, channel="text", how="a form", at=town.now)
    assert await codes(town, engine) == []


def test_the_codes_are_known_by_one_name_each() -> None:
    assert len({each.code for each in CHECKS}) == len(CHECKS) == 19


async def test_a_team_of_which_no_one_is_ever_available(town: Town) -> None:
    database, bob, engine = town.database, town.users["bob"], Engine(town.database, CHANNELS)
    await database.execute(
        "INSERT INTO availabilities (id, weekly_hours) VALUES ($1, '{}') ON CONFLICT (id)"
        " DO UPDATE SET weekly_hours = '{}'", bob,
    )  # fmt: skip
    await database.execute("UPDATE users SET may_be_away = true WHERE id = $1", bob)
    [finding] = (await engine.rule_checks.check(town.users["alice"])).findings
    assert (finding.code, finding.id) == ("never_available", town.team_id)
    assert "has no working hours" in finding.message
    await database.execute("UPDATE availabilities SET weekly_hours = NULL, is_paused = true")
    assert await codes(town, engine) == ["never_available"]
    await database.execute("UPDATE availabilities SET paused_until = '2099-01-01'")
    assert await codes(town, engine) == []
