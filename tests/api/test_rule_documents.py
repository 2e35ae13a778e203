"""Rules as a document over the API: what is exported, what a load changes, and what is wrong with one."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.api import Reply, ask, create
from tests.support.town import Town

YAML = {"Content-Type": "application/yaml"}


async def put(town: Town, document: Any, query: str = "", name: str = "alice") -> Reply:
    data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
    return await ask(town, name, "PUT", f"/rules/document{query}", body=data, headers=YAML)


async def exported(town: Town, query: str = "") -> Any:
    reply = await ask(town, "alice", "GET", f"/rules/document{query}")
    assert reply.status == 200
    return reply.json if not query else reply.body.decode()


async def versions(town: Town) -> list[int]:
    return [each["number"] for each in (await ask(town, "alice", "GET", "/rules/versions")).json["data"]]


@pytest.fixture
async def route_id(town: Town) -> int:
    """A route of Zillow to Alice's team, whose line-up is Bob."""
    await town.option("alice", town.team_id, "bob")
    return await town.route("alice")


async def test_an_export_is_loaded_without_a_change(town: Town, route_id: int) -> None:
    document = await exported(town)
    before = await versions(town)

    assert document["teams"][0]["members"] == [
        {"user": "alice@example.com"},
        {"user": "bob@example.com", "option": document["teams"][0]["members"][1]["option"]},
        {"user": "carol@example.com"},
    ]
    assert document["routes"][0] | {"campaign": "x"} == {
        "name": None, "lead_source": "Zillow", "contact_source": "Zillow", "is_active": True, "priority": 0,
        "filter": None, "conditions": None, "distribution_target": "Team Rollout",
        "team_selection_method": "Specific Team", "team": "North Side", "campaign": "x", "campaign_start": "Arrival",
        "returning_contact": "Route Again",
    }  # fmt: skip
    for text in (document, await exported(town, "?format=yaml")):
        for query in ("", "?prune=true", "?prune=true&dry_run=true"):
            assert (await put(town, text, query)).json["changes"] == []
    assert await versions(town) == before


async def test_a_load_is_one_version_and_a_dry_run_none(town: Town, route_id: int) -> None:
    await town.lead_source("alice", "Signs")
    text = (await exported(town, "?format=yaml")).replace("priority: 0", "priority: 5").replace("name: null", "name: A")
    text = text.replace(
        "  - user: carol@example.com\n", "  - user: carol@example.com\n        option: {assign_automatically: true}\n"
    )
    text = text.replace("teams:\n", "teams:\n  - name: New\n    members: [{user: bob@example.com}]\n")
    text = text.replace(
        "routes:\n",
        "routes:\n  - {name: Signs, lead_source: Signs, contact_source: Zillow, campaign: Follow-up,"
        " distribution_target: Team Rollout, team_selection_method: Specific Team, team: New}\n",
    )
    text = text.replace(
        "campaign: Follow-up,", "campaign: " + await town.database.fetchval("SELECT name FROM campaigns") + ","
    )
    before = await versions(town)
    tried = await put(town, text, "?dry_run=true")
    assert (tried.status, tried.json.get("is_dry_run")) == (200, True), tried.json
    assert await versions(town) == before
    done = await put(town, text)

    assert (done.status, done.json["changes"]) == (200, tried.json["changes"])
    assert [each.partition(" (")[0] for each in done.json["changes"]] == [
        "New team New: added", "New member", "New member", "New option",
        f"Route {route_id}: name none → “A”", f"Route {route_id}: priority 0 → 5", "New route Signs: added",
    ]  # fmt: skip
    assert await versions(town) == [done.json["rule_set"], *before]
    rows = await town.database.fetch(
        "SELECT r.name, t.name AS team FROM lead_routes r JOIN teams t ON t.id = r.team_id ORDER BY r.id"
    )
    assert [tuple(row) for row in rows] == [("A", "North Side"), ("Signs", "New")]
    members = await town.database.fetch(
        "SELECT user_id, request_status FROM team_members WHERE team_id <> $1 ORDER BY user_id", town.team_id
    )
    assert [tuple(row) for row in members] == [(town.users["alice"], "Accepted"), (town.users["bob"], "Pending")]
    assert await town.database.fetchval("SELECT count(*) FROM messages WHERE kind = 'invitation'") == 1
    option = await town.database.fetchrow(
        "SELECT rank, assign_automatically FROM team_member_distribution_options WHERE user_id = $1",
        town.users["carol"],
    )
    assert tuple(option) == (2, True)
    assert (await put(town, text)).json["changes"] == []
    entry = (await ask(town, "alice", "GET", "/audit?resource=/rules/document")).json["data"]
    assert [each["changes"] for each in entry] == [[{"field": "changes", "after": done.json["changes"]}]]


async def test_what_is_not_named_is_removed_by_prune_alone(town: Town, route_id: int) -> None:
    document = await exported(town)
    document["routes"] = []
    document["teams"][0]["members"].pop()
    assert (await put(town, document)).json["changes"] == []
    pruned = (await put(town, document, "?prune=true")).json["changes"]

    assert [each.partition(" (")[0] for each in pruned] == [
        f"Member {await _member_of_carol(town, pruned)}", f"Route {route_id}: removed"
    ]  # fmt: skip
    assert await town.database.fetchval("SELECT count(*) FROM lead_routes") == 0
    assert await town.database.fetchval("SELECT count(*) FROM team_members") == 2


async def _member_of_carol(town: Town, pruned: list[str]) -> str:
    assert "carol@example.com in North Side" in pruned[0]
    return pruned[0].split()[1]


async def test_routes_exchange_their_names_in_one_load(town: Town, route_id: int) -> None:
    other = await town.route("alice", filter="Seller", name="B")
    await town.database.execute("UPDATE lead_routes SET name = 'A' WHERE id = $1", route_id)
    document = await exported(town)
    first, second = document["routes"]
    first["filter"], second["filter"] = second["filter"], first["filter"]
    assert len((await put(town, document)).json["changes"]) == 2
    for each, name in ((first, "C"), (second, "A")):
        each["name"] = name
    document["routes"] = [second, first]
    reply = await put(town, document)
    assert reply.status == 200
    assert {row["name"] for row in await town.database.fetch("SELECT name FROM lead_routes")} >= {"A"}
    assert other


@pytest.mark.parametrize(
    ("text", "line", "column", "field"),
    [
        ("rules: 1\nteams:\n  - name: North Side\n    order_method: Fast\n", 4, 19, "teams[0].order_method"),
        ("rules: 1\nroutes:\n  - lead_source: Zilow\n", 3, 18, "routes[0].lead_source"),
        ('{"rules": 1, "teams": [{"name": "North Side", "members": [{"user": "who@example.com"}]}]}', 1, 68,
         "teams[0].members[0].user"),
        ("rules: 1\nrules: 1\n", 2, 1, ""),
        ("rules: 1\nteams: all\n", 2, 8, "teams"),
        ("rules: 1\nteams: [7]\n", 2, 9, "teams[0]"),
        ("rules: 1\nteams:\n  - name: North Side\n    members: [7]\n", 4, 15, "teams[0].members[0]"),
        ("rules: 1\nlisting_agents:\n  - mls_id: A1\n    user: [bob]\n", 4, 5, "listing_agents[0].user"),
        ("rules: 1\nlisting_agents:\n  - mls_id: A1\n    user: dave@example.com\n", 4, 11, "listing_agents[0].user"),
        ('{"rules": 1, "teams": [{"name": "North Side", "members": [{"user": "a\\u0000b"}]}]}', 1, 68,
         "teams[0].members[0].user"),
        ("# x\n" * 5_000 + "rules: 1\nteams: {}\n", 5_002, 1, "teams"),
    ],
)  # fmt: skip
async def test_a_bad_document_is_400_with_its_place(
    town: Town, route_id: int, text: str, line: int, column: int, field: str
) -> None:
    """A large one is read in the sandbox, and says the same."""
    before = await versions(town)
    reply = await put(town, text + "# and more\n" if not text.startswith("{") else text)

    assert reply.status == 400
    assert {name: reply.json["data"][name] for name in ("line", "column", "field")} == {
        "line": line, "column": column, "field": field,
    }  # fmt: skip
    assert f"line {line}, column {column}: " in reply.json["message"]
    assert next(iter(reply.json["errors"])) == (field or "document")
    assert await versions(town) == before


async def test_a_document_has_its_limits(town: Town, route_id: int) -> None:
    assert (await put(town, "rules: 1\n" + "#" * 1_048_576)).status == 400
    assert (await put(town, "rules: 1\n" + "#" * 1_000_000)).status == 200
    for query in ("?prune=yes", "?dry_run=1"):
        assert (await put(town, "rules: 1\n", query)).status == 400
    assert (await ask(town, "alice", "GET", "/rules/document?format=xml")).status == 400
    assert (await ask(town, "alice", "GET", "/rules/document", headers={"Accept": "application/yaml"})).headers[
        "content-type"
    ] == "application/yaml; charset=utf-8"


async def test_more_people_than_may_be_asked_are_not_invited(town: Town, route_id: int) -> None:
    await town.database.execute(
        "INSERT INTO users (email, created_at, modified_at)"
        " SELECT 'agent' || n || '@example.com', now(), now() FROM generate_series(1, 101) AS n"
    )
    members = [{"user": f"agent{number}@example.com"} for number in range(1, 102)]
    reply = await put(town, {"rules": 1, "teams": [{"name": "North Side", "members": members}]})
    assert (reply.status, list(reply.json["errors"])) == (400, ["members"])
    reply = await put(town, {"rules": 1, "teams": [{"name": "North Side", "members": members[:100]}]})
    assert reply.status == 200


async def test_the_address_of_who_was_invited_by_id_is_not_shown(town: Town, route_id: int) -> None:
    """Until an invitation is accepted, the creator of the team knows what the creator has said."""
    await town.member("alice", town.team_id, "dave", request_status="Pending")
    document = await exported(town)
    assert {"user": f"(#{town.users['dave']})"} in document["teams"][0]["members"]
    assert (await put(town, document, "?prune=true")).json["changes"] == []
    assert "dave@" not in (await ask(town, "alice", "GET", "/rules/versions")).body.decode()


async def test_the_rules_of_others_are_their_own(town: Town, route_id: int) -> None:
    reply = await ask(town, "dave", "GET", "/rules/document")
    assert reply.json == {"rules": 1, "teams": [], "routes": [], "listing_agents": [], "campaigns": []}
    refused = await put(town, await exported(town), name="dave")
    assert refused.status == 400
    assert await town.database.fetchval("SELECT count(*) FROM teams") == 1


# ------------------------------------------------------------------------------------------------------ campaigns

OFFICE = {"weekly_hours": {"tuesday": [["09:00", "17:00"]], "monday": [["09:00", "12:00"]]}}


@pytest.fixture
async def campaign(town: Town) -> str:
    """Everything that can be set of a campaign; returns its path."""
    templates = [await town.template("alice", description=f"Hello {number}") for number in range(3)]
    made = await create(
        town, "alice", "/campaigns",
        {"name": "Drip", "send_window": OFFICE, "first_answer_minutes": 5, "stops_on": ["claim", "reply"],
         "pause_on_offer": True, "is_broker_sharing_on": True},
    )  # fmt: skip
    path = f"/campaigns/{made['id']}"
    conditions = {"all": [{"field": "replied", "is": "equal", "value": False}, {"field": "city", "is": "known"}]}
    shares = [{"template_id": each, "share": place + 1} for place, each in enumerate(templates[:2])]
    for step in (
        {"type": "Email Contact", "timing_type": "Delay by Minutes", "delay_by_seconds": 60, "variants": shares,
         "send_window": {"weekly_hours": {}}, "conditions": conditions, "smallest_difference": 3},
        {"type": "Text Contact", "timing_type": "Delay by Day and Time", "delay_by_days": 2, "dispatch_time": "09:30",
         "template_id": templates[2], "is_stopped_on_text_reply": True, "assigned_user_id": town.users["bob"]},
        {"type": "Email Contact", "timing_type": "Exact Date and Time", "dispatch_datetime": "2030-01-02T03:04:05Z",
         "template_id": templates[2], "trigger_type": 2},
        {"type": "Agent Task - No Reminder", "timing_type": "Recurring", "recurrence": "FREQ=WEEKLY;BYDAY=MO",
         "description": "Look at it"},
    ):  # fmt: skip
        await create(town, "alice", f"{path}/actions", step)
    return path


async def stored(town: Town, path: str, who: str = "alice") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A campaign and its steps, without what is only theirs."""
    own = ("id", "campaign_id", "created_at", "modified_at")
    campaign = (await ask(town, who, "GET", path)).json
    steps = (await ask(town, who, "GET", f"{path}/actions?$sort[id]=1")).json["data"]
    return tuple({name: value for name, value in each.items() if name not in own} for each in (campaign, *steps))


async def test_a_campaign_is_exported_whole_and_loaded_without_a_change(town: Town, campaign: str) -> None:
    before = await stored(town, campaign)
    [exported_campaign] = [each for each in (await exported(town))["campaigns"] if each["name"] == "Drip"]
    assert exported_campaign["actions"][0]["variants"] == [
        {"template": "Hello 0", "share": 1}, {"template": "Hello 1", "share": 2},
    ]  # fmt: skip
    assert exported_campaign["actions"][1]["assigned_user"] == "bob@example.com"
    for text in (await exported(town), await exported(town, "?format=yaml")):
        for query in ("", "?prune=true"):
            assert (await put(town, text, query)).json["changes"] == []
    assert await stored(town, campaign) == before


async def test_a_campaign_is_the_same_in_another_account(town: Town, campaign: str) -> None:
    await town.member("dave", await town.team("dave", name="East"), "bob")
    for number in range(3):
        await town.template("dave", description=f"Hello {number}")
    document = {"rules": 1, "campaigns": (await exported(town))["campaigns"]}

    reply = await put(town, document, name="dave")

    assert reply.status == 200, reply.body
    [made] = (await ask(town, "dave", "GET", "/campaigns?name=Drip")).json["data"]
    here, there = await stored(town, campaign), await stored(town, f"/campaigns/{made['id']}", "dave")
    for each in (*here, *there):
        for variant in each.get("variants") or ():
            variant["template_id"] = None
        each.pop("template_id", None)
    assert there == here
    assert (await put(town, document, name="dave")).json["changes"] == []


async def test_a_changed_step_changes_for_everyone_for_whom_it_has_not_left(town: Town, campaign: str) -> None:
    contact_id = await town.contact("alice", email="mia@example.com")
    await create(town, "alice", f"{campaign}/contacts", {"contact_id": contact_id})
    document = await exported(town)
    [drip] = [each for each in document["campaigns"] if each["name"] == "Drip"]
    drip["actions"][0]["delay_by_seconds"] = 7200
    del drip["actions"][1]
    moments = await open_moments(town)

    dry = await put(town, document, "?prune=true&dry_run=true")
    assert await open_moments(town) == moments
    done = await put(town, document, "?prune=true")

    assert done.json["changes"] == dry.json["changes"]
    assert done.json["changes"][0].partition(": ")[2] == "delay 1 minute → 2 hours"
    assert len(done.json["changes"]) == 2
    after = await open_moments(town)
    assert len(after) == len(moments) - 1
    assert after[0] - moments[0] == timedelta(seconds=7140)


async def open_moments(town: Town) -> list[Any]:
    rows = await town.database.fetch("SELECT send_at FROM contact_communications WHERE is_active ORDER BY action_id")
    return [row["send_at"] for row in rows]


async def test_a_rule_that_never_comes_is_refused(town: Town, campaign: str) -> None:
    step = {
        "type": "Agent Task - No Reminder",
        "timing_type": "Recurring",
        "recurrence": "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2",
    }
    reply = await put(town, {"rules": 1, "campaigns": [{"name": "Drip", "actions": [step]}]})
    assert reply.status == 400
    assert list(reply.json["errors"]) == ["recurrence"]
