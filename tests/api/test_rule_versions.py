"""Versions of rules: what a request changed, who did it, the difference between two, and bringing one back."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadroutes.api.operations import OPERATIONS
from leadroutes.domain.rule_fields import KINDS
from leadroutes.settings import Settings
from leadroutes.store.audit import CHANGES_RULES
from leadroutes.worker.retention import clean
from tests.support.api import ask
from tests.support.town import Town


async def versions(town: Town, name: str = "alice", query: str = "") -> list[dict[str, Any]]:
    reply = await ask(town, name, "GET", f"/rules/versions{query}")
    assert reply.status == 200
    return list(reply.json["data"])


async def change(town: Town, method: str, path: str, **body: Any) -> Any:
    reply = await ask(town, "alice", method, path, json=body)
    assert reply.status in (200, 201), reply.body
    return reply.json


async def restore(town: Town, number: int) -> Any:
    return await change(town, "POST", f"/rules/versions/{number}/restore")


async def difference(town: Town, number: int, since: int) -> list[str]:
    reply = await ask(town, "alice", "GET", f"/rules/versions/{number}/changes?since={since}")
    assert reply.status == 200
    return list(reply.json["changes"])


@pytest.fixture
async def route_id(town: Town) -> int:
    """A route of Zillow (1) to Alice's team, whose line-up is Bob."""
    await town.option("alice", town.team_id, "bob")
    return await town.route("alice")


async def test_a_change_makes_a_version_that_says_what_who_and_when(town: Town, route_id: int) -> None:
    before = await versions(town)
    await change(town, "PATCH", f"/lead-routes/{route_id}", priority=5)
    latest, *others = await versions(town)

    assert latest["changes"] == [f"Route {route_id}: priority 0 → 5"]
    assert latest["user_id"] == town.users["alice"]
    assert latest["at"] <= town.now.isoformat()
    assert latest["number"] > before[0]["number"]
    assert others == before
    number = await town.database.fetchval("SELECT rules_version FROM users WHERE id = $1", town.users["alice"])
    assert latest["number"] == number
    shown = await ask(town, "alice", "GET", f"/rules/versions/{number}")
    assert (shown.status, shown.json) == (200, latest)


async def test_what_one_request_changes_is_one_version(town: Town) -> None:
    ids = [await town.route("alice") for _ in range(20)]
    before = await versions(town)
    await change(town, "POST", "/lead-routes/order", lead_source_id=1, ids=ids)
    latest, *others = await versions(town)

    assert len(latest["changes"]) == 20
    assert others == before


async def test_routes_that_are_added_at_the_same_time_are_versions_of_their_own(town: Town, route_id: int) -> None:
    row = await town.database.fetchrow("SELECT * FROM lead_routes WHERE id = $1", route_id)
    body = {name: row[name] for name in ("campaign_id", "lead_source_id", "contact_source_id")}
    before = len(await versions(town))
    await asyncio.gather(
        *(change(town, "POST", "/lead-routes", distribution_target="Myself", **body) for _ in range(4))
    )

    assert [len(each["changes"]) for each in (await versions(town))[: -before or None]] == [1, 1, 1, 1]


async def test_every_kind_of_change_makes_a_version(town: Town, route_id: int) -> None:
    campaign_id = await town.database.fetchval("SELECT campaign_id FROM lead_routes WHERE id = $1", route_id)
    option_id = await town.database.fetchval("SELECT id FROM team_member_distribution_options")
    unused = await town.campaign("alice", "Unused")
    step = {"type": "Agent Task - No Reminder", "timing_type": "Delay by Minutes", "delay_by_seconds": 60}
    steps = (await change(town, "POST", f"/campaigns/{campaign_id}/actions", **step))["id"]
    said = []
    for method, path, body in (
        ("PATCH", f"/teams/{town.team_id}", {"name": "South Side", "distribution_zipcodes": ["98112"]}),
        ("PATCH", f"/team-member-distribution-options/{option_id}", {"weight": 2}),
        ("PATCH", f"/campaigns/{campaign_id}/actions/{steps}", {"delay_by_seconds": 120}),
        ("DELETE", f"/team-member-distribution-options/{option_id}", {}),
        ("PATCH", f"/lead-routes/{route_id}", {"name": "Portals"}),
        ("DELETE", f"/lead-routes/{route_id}", {}),
        ("POST", f"/campaigns/{unused}/actions", step),
        ("DELETE", f"/teams/{town.team_id}", {}),
    ):
        await change(town, method, path, **body)
        latest = (await versions(town))[0]
        assert latest["user_id"] == town.users["alice"]
        said.append("; ".join(latest["changes"]))

    assert [each.partition(" (")[0] for each in said] == [
        f"Team {town.team_id}: name “North Side” → “South Side”; Team {town.team_id}: zipcodes 98112 added",
        f"Option {option_id}",
        f"Campaign step {steps}",
        f"Option {option_id}",
        f"Route {route_id}: name none → “Portals”",
        f"Route {route_id}: removed",
        f"Campaign step {steps + 1}",
        f"Team {town.team_id}: removed",
    ]
    assert said[1] == f"Option {option_id} (bob@example.com in South Side): weight 1 → 2"


async def test_choices_of_a_step_are_named_in_sentences(town: Town, route_id: int) -> None:
    campaign_id = await town.database.fetchval("SELECT campaign_id FROM lead_routes WHERE id = $1", route_id)
    first, second = [
        await town.template("alice", template_type="Text", subject=None, description=name, body=name)
        for name in ("Short", "Long")
    ]
    step = {"type": "Text Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 60, "template_id": first}
    step_id = (await change(town, "POST", f"/campaigns/{campaign_id}/actions", **step))["id"]

    await change(
        town, "PATCH", f"/campaigns/{campaign_id}/actions/{step_id}",
        template_id=None, variants=[{"template_id": first, "share": 1}, {"template_id": second, "share": 2}],
        smallest_difference=10, conditions={"all": [{"field": "steps_sent", "is": "at least", "value": 1}]},
        send_window={"weekly_hours": {"monday": [["09:00", "17:00"]]}},
    )  # fmt: skip

    said = [each.partition("): ")[2] for each in (await versions(town))[0]["changes"]]
    assert said == [
        "template Short → none",
        "sent only none → Monday 09:00–17:00",
        "conditions none → “messages sent by the campaign is at least 1”",
        "variants none → Short (1), Long (2)",
        "smallest difference in percentage points 5 → 10",
    ]


async def test_what_changes_nothing_makes_none(town: Town, route_id: int) -> None:
    before = await versions(town)
    await change(town, "PATCH", f"/lead-routes/{route_id}", priority=0)
    await town.database.execute("UPDATE lead_routes SET priority = priority; UPDATE teams SET name = name")
    await change(town, "PATCH", "/me", timezone="America/Denver")
    await town.database.execute("UPDATE team_members SET is_sharing_accepted = true")

    assert await versions(town) == before


async def test_the_difference_between_two_is_net(town: Town, route_id: int) -> None:
    first = (await versions(town))[0]["number"]
    for priority in (1, 2):
        await change(town, "PATCH", f"/lead-routes/{route_id}", priority=priority)
    second = (await versions(town))[0]["number"]
    await change(town, "PATCH", f"/lead-routes/{route_id}", priority=0)
    third = (await versions(town))[0]["number"]

    assert await difference(town, second, first) == [f"Route {route_id}: priority 0 → 2"]
    assert await difference(town, first, second) == [f"Route {route_id}: priority 2 → 0"]
    assert await difference(town, third, first) == []
    by_default = await ask(town, "alice", "GET", f"/rules/versions/{third}/changes")
    assert by_default.json == {"number": third, "since": second, "changes": [f"Route {route_id}: priority 2 → 0"]}


@pytest.mark.parametrize("path", ["/rules/versions/{0}", "/rules/versions/{0}/changes", "/rules/versions/x/changes"])
async def test_versions_of_others_and_unknown_ones_are_404(town: Town, route_id: int, path: str) -> None:
    number = (await versions(town))[0]["number"]
    for name, wanted in (("dave", number), ("alice", 999_999)):
        assert (await ask(town, name, "GET", path.format(wanted))).status == 404
        assert (await ask(town, name, "POST", f"/rules/versions/{wanted}/restore")).status == 404
    reply = await ask(town, "alice", "GET", f"/rules/versions/{number}/changes?since=999999")
    assert (reply.status, reply.json["errors"]) == (
        400, {"since": "since: '999999' was given; expected the number of a version"}
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------- restore


async def test_a_version_is_brought_back_with_the_ids_that_records_had(town: Town, route_id: int) -> None:
    await change(town, "PATCH", f"/lead-routes/{route_id}", name="Portals")
    number, option_id = (
        (await versions(town))[0]["number"],
        await town.database.fetchval("SELECT id FROM team_member_distribution_options"),
    )
    await change(town, "PATCH", f"/lead-routes/{route_id}", name=None, team_id=None, distribution_target="Myself")
    other = await town.route("alice", name="Portals")
    await change(town, "DELETE", f"/team-member-distribution-options/{option_id}")
    await town.option("alice", town.team_id, "bob", weight=7)
    before = len(await versions(town))
    done = await restore(town, number)

    assert done["not_restored"] == []
    assert await difference(town, done["rule_set"], number) == []
    assert len(await versions(town)) == before + 1
    assert (await versions(town))[0]["changes"] == done["changes"]
    rows = await town.database.fetch("SELECT id, name, team_id FROM lead_routes")
    assert [(row["id"], row["name"], row["team_id"]) for row in rows] == [(route_id, "Portals", town.team_id)]
    assert other != route_id
    assert (
        await town.database.fetchval("SELECT weight FROM team_member_distribution_options WHERE id = $1", option_id)
        == 1
    )
    again = await restore(town, number)
    assert (again["changes"], again["rule_set"]) == ([], done["rule_set"])


async def test_a_team_comes_back_without_its_members_who_are_not_invited_again(town: Town, route_id: int) -> None:
    number = (await versions(town))[0]["number"]
    members = {row["user_id"]: row["id"] for row in await town.database.fetch("SELECT id, user_id FROM team_members")}
    option_id = await town.database.fetchval("SELECT id FROM team_member_distribution_options")
    await change(town, "DELETE", f"/lead-routes/{route_id}")
    await change(town, "DELETE", f"/teams/{town.team_id}")
    done = await restore(town, number)

    assert done["not_restored"] == [
        *({"resource": "/team-members", "id": members[town.users[name]], "reason": "members are not invited again"}
          for name in ("bob", "carol")),
        {"resource": "/team-member-distribution-options", "id": option_id,
         "reason": "the user is not a member of the team any more"},
    ]  # fmt: skip
    team = (await ask(town, "alice", "GET", f"/teams/{town.team_id}")).json
    assert team["name"] == "North Side"
    rows = await town.database.fetch("SELECT user_id FROM team_members WHERE team_id = $1", town.team_id)
    assert [row["user_id"] for row in rows] == [town.users["alice"]]
    assert await town.database.fetchval("SELECT team_id FROM lead_routes WHERE id = $1", route_id) == town.team_id


async def test_what_a_route_needs_may_be_gone(town: Town, route_id: int) -> None:
    number = (await versions(town))[0]["number"]
    new_team = await town.team("alice", name="Later")
    campaign_id = await town.database.fetchval("SELECT campaign_id FROM lead_routes WHERE id = $1", route_id)
    await change(
        town, "PATCH", f"/lead-routes/{route_id}", campaign_id=await town.campaign("alice", "Next"), team_id=new_team
    )
    await change(town, "DELETE", f"/campaigns/{campaign_id}")
    done = await restore(town, number)

    assert [(each["resource"], each["id"], each["reason"]) for each in done["not_restored"]] == [
        ("/lead-routes", route_id, f"its campaign {campaign_id} is gone"),
        ("/teams", new_team, "a route needs it that could not be put back"),
    ] + [
        ("/team-members", each, "members who came later stay")
        for each in [await town.database.fetchval("SELECT id FROM team_members WHERE team_id = $1", new_team)]
    ]
    assert await town.database.fetchval("SELECT team_id FROM lead_routes") == new_team


async def test_a_lead_under_way_is_decided_by_the_rules_of_its_version(town: Town, route_id: int) -> None:
    number = (await versions(town))[0]["number"]
    contact_id = await town.contact("alice")
    await change(town, "PATCH", f"/teams/{town.team_id}", mins_until_next_alert=30)
    lead = await change(town, "POST", "/leads", contact_id=contact_id, source_id=1)
    explained = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/routing")).json
    done = await restore(town, number)

    assert explained["rule_set"] < done["rule_set"]
    assert (await ask(town, "alice", "GET", f"/leads/{lead['id']}/routing")).json == explained


async def test_removing_a_member_by_a_restore_of_a_team_withdraws_the_offers_of_it(town: Town, route_id: int) -> None:
    number = (await versions(town))[0]["number"]
    team_id = await town.team("alice", "carol", name="Later")
    await town.option("alice", team_id, "carol")
    await change(town, "PATCH", f"/lead-routes/{route_id}", team_id=team_id)
    lead = await change(town, "POST", "/leads", contact_id=await town.contact("alice"), source_id=1)
    await restore(town, number)

    offers = await town.database.fetch(
        "SELECT user_id, state FROM offers WHERE lead_id = $1 ORDER BY place", lead["id"]
    )
    states = {row["user_id"]: row["state"] for row in offers}
    assert states[town.users["carol"]] in ("withdrawn", "expired")
    assert town.users["alice"] in states


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["route", "new", "drop", "team", "option", "order", "unnamed", "newteam"]), st.integers(0, 9)
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(0, 7))
async def test_nothing_differs_from_a_version_that_was_restored(town: Town, steps: Any, which: int) -> None:
    """Whatever happens in between to routes, teams and options."""
    await town.database.execute("DELETE FROM lead_routes; DELETE FROM team_member_distribution_options")
    campaign_id = await town.database.fetchval("SELECT min(id) FROM campaigns") or await town.campaign("alice")
    known = {"campaign_id": campaign_id, "contact_source_id": await town.contact_source("alice")}
    await town.option("alice", town.team_id, "bob")
    await town.route("alice", **known)
    numbers = [(await versions(town))[0]["number"]]
    for what, value in steps:
        await _step(town, what, value, known)
        numbers.append((await versions(town))[0]["number"])
    number = numbers[which % len(numbers)]
    done = await restore(town, number)

    left = [each for each in done["not_restored"] if each["resource"] != "/team-members"]
    assert left == []
    said = await difference(town, done["rule_set"], number) if done["rule_set"] != number else []
    assert [each for each in said if not each.startswith("Member ")] == []


async def _step(town: Town, what: str, value: int, known: dict[str, int]) -> None:
    database, alice = town.database, town.users["alice"]
    name = f"Route {value % 3}"
    match what:
        case "route":
            await database.execute(
                "UPDATE lead_routes SET priority = $1, filter = $2", value, str(value) if value % 2 else None
            )
        case "new":
            if not await database.fetchval("SELECT EXISTS (SELECT FROM lead_routes WHERE name = $1)", name):
                await town.route("alice", name=name, priority=value, **known)
        case "drop":
            await database.execute("DELETE FROM lead_routes WHERE id % 2 = $1", value % 2)
        case "team":
            await database.execute(
                "UPDATE teams SET order_method = 'Time', distribution_zipcodes = $1", [f"9810{value}"]
            )
        case "option":
            await database.execute("DELETE FROM team_member_distribution_options WHERE owner_id = $1", alice)
            await town.option("alice", town.team_id, "carol", weight=value + 1)
        case "order":
            await database.execute("UPDATE team_member_distribution_options SET rank = $1", value)
        case "unnamed":
            await database.execute("UPDATE lead_routes SET name = NULL")
        case "newteam":
            team_id = await town.team("alice", name=f"Team {value}")
            await database.execute("UPDATE lead_routes SET team_id = $1", team_id)


# ----------------------------------------------------------------------------------------------- names, what remains


async def test_a_name_is_that_of_one_route_of_an_owner(town: Town, route_id: int) -> None:
    other = await town.route("alice")
    await town.route("dave", name="Portals", team_id=None, team_selection_method=None)
    await change(town, "PATCH", f"/lead-routes/{route_id}", name="Portals")
    refused = await ask(town, "alice", "PATCH", f"/lead-routes/{other}", json={"name": "Portals"})
    assert (refused.status, refused.json["message"]) == (409, "Another lead route has this name")
    assert (await ask(town, "alice", "PATCH", f"/lead-routes/{other}", json={"name": "x" * 101})).status == 400
    await change(town, "PATCH", f"/lead-routes/{route_id}", name="")
    await change(town, "PATCH", f"/lead-routes/{other}", name="Portals")
    assert (await ask(town, "alice", "GET", "/lead-routes?name=Portals")).json["data"][0]["id"] == other
    await change(town, "DELETE", f"/lead-routes/{other}")
    await change(town, "PATCH", f"/lead-routes/{route_id}", name="Portals")


async def test_old_versions_are_removed_and_the_last_one_stays(town: Town, route_id: int) -> None:
    for priority in (1, 2, 3):
        await change(town, "PATCH", f"/lead-routes/{route_id}", priority=priority)
    numbers = [each["number"] for each in await versions(town)]
    await town.database.execute("UPDATE rule_versions SET at = at - interval '3 years' WHERE number < $1", numbers[1])
    cleaned = await clean(town.database, Settings(), asyncio.Event())

    assert cleaned["rule_versions"] == len(numbers) - 2
    assert [each["number"] for each in await versions(town)] == numbers[:2]
    await restore(town, numbers[1])
    assert await town.database.fetchval("SELECT priority FROM lead_routes") == 2


async def test_every_column_of_a_rule_is_declared(town: Town) -> None:
    """A new column of one of these tables belongs to rule_fields, or here if it is not part of the rules."""
    beside = {
        "team_members": {"is_sharing_accepted"},
        "lead_routes": {"conditions_text"},  # it follows from the conditions
        "campaign_actions": {"conditions_text", "timed_at"},  # the latter: when its timing was changed
        "campaigns": {"name_key", "is_default", "created_at", "modified_at"},
        "listing_agents": {"mls_key"},  # the MLS number in its comparable form
    }
    for kind in KINDS:
        rows = await town.database.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1",
            kind.name,
        )
        apart = {"owner_id", "id", "team_id", "user_id", "campaign_id"} | beside.get(kind.name, set())
        declared = {each.name for each in kind.fields}
        assert {row["column_name"] for row in rows} - apart <= declared, kind.name


def test_every_act_that_changes_rules_is_signed() -> None:
    """By the beginnings of the paths; what another path changes would have no one's name."""
    words = {word for word in CHANGES_RULES if any(each.path.startswith(word) for each in OPERATIONS)}
    assert words | {"/listing-agents"} == set(CHANGES_RULES)
