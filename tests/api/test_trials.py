"""Trials of drafts over the API: what is refused and where, the trial while it runs and afterwards, and whose it is."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from leadroutes.rules.trials import TrialJobs
from leadroutes.store.queue import RowKey
from tests.support.api import Reply, ask
from tests.support.town import Town

DRAFT = {"rules": 1, "routes": [{"name": "All of them", "lead_source": "Zillow", "team": "North Side"}]}


@pytest.fixture
async def alice(town: Town) -> Town:
    """Three leads from Zillow, that no route takes; Bob would be offered them."""
    await town.option("alice", town.team_id, "bob")
    await town.contact_source("alice", "Zillow")
    await town.campaign("alice", "Follow-up")
    contact_id = await town.contact("alice")
    for days in (1, 2, 100):
        moment = town.now - timedelta(days=days)
        await town.lead("alice", contact_id, source_id=1, created_at=moment, routed_at=moment)
    return town


async def run(town: Town, trial_id: int) -> None:
    await TrialJobs(town.database).run(msgspec.json.encode(RowKey(town.users["alice"], trial_id)), 1)


def draft(**changes: Any) -> dict[str, Any]:
    route = {
        "name": "All of them", "lead_source": "Zillow", "contact_source": "Zillow", "campaign": "Follow-up",
        "distribution_target": "Team Rollout", "team_selection_method": "Specific Team", "team": "North Side",
    }  # fmt: skip
    return {"rules": 1, "routes": [route | changes]}


async def test_a_draft_is_tried_and_its_result_is_there_for_its_maker(alice: Town) -> None:
    begun: Reply = await ask(alice, "alice", "POST", "/rules/trials", json={"draft": draft()})

    assert begun.status == 202
    trial = begun.json
    assert (trial["state"], trial["done"], trial["of"]) == ("running", 0, 2)
    assert "totals" not in trial
    again = await ask(alice, "alice", "POST", "/rules/trials", json={"draft": draft()})
    assert again.status == 409
    await run(alice, trial["id"])
    path = f"/rules/trials/{trial['id']}"
    shown = (await ask(alice, "alice", "GET", path)).json
    assert (shown["state"], shown["done"]) == ("finished", 2)
    assert shown["totals"] == {
        "leads": 2, "held": 0, "before": {"without_route": 2, "to_owner": 2, "got": 0},
        "after": {"without_route": 0, "to_owner": 0, "got": 0},
    }  # fmt: skip
    assert shown["routes"][0]["name"] == "All of them"
    assert [(each["before"], each["after"], each["why"]) for each in shown["moved"]["leads"]] == [
        (alice.users["alice"], alice.users["bob"], "route All of them in place of no route")
    ] * 2  # fmt: skip
    assert (await ask(alice, "bob", "GET", path)).status == 404
    assert (await ask(alice, "alice", "GET", "/rules/trials/999")).status == 404
    await alice.database.execute("UPDATE rule_trials SET made_at = now() - interval '61 minutes'")
    assert (await ask(alice, "alice", "GET", path)).status == 404
    assert await alice.database.fetchval("SELECT count(*) FROM lead_routes") == 0


async def test_a_period_may_be_given(alice: Town) -> None:
    body = {"draft": draft(), "since": "120d", "until": (alice.now - timedelta(days=3)).isoformat(), "prune": True}

    assert (await ask(alice, "alice", "POST", "/rules/trials", json=body)).json["of"] == 1


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no draft", {}, "draft"),
    ("a draft that is a number", {"draft": 7}, "draft"),
    ("since is a word", {"draft": {"rules": 1}, "since": "yesterday"}, "since"),
    ("since is a number", {"draft": {"rules": 1}, "since": 90}, "since"),
    ("since is false", {"draft": {"rules": 1}, "since": False}, "since"),
    ("since is empty", {"draft": {"rules": 1}, "since": ""}, "since"),
    ("until before since", {"draft": {"rules": 1}, "since": "1d", "until": "2d"}, "since"),
    ("prune is a word", {"draft": {"rules": 1}, "prune": "yes"}, "prune"),
    ("a team that is not there", {"draft": draft(team="South Side")}, "routes[0].team"),
    ("an unknown field", {"draft": draft(colour="red")}, "routes[0].colour"),
    ("teams that are a word", {"draft": {"rules": 1, "teams": "all"}}, "teams"),
    ("no version", {"draft": {"routes": []}}, "rules"),
]


@pytest.mark.parametrize(("body", "field"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_what_is_wrong_is_refused_at_once(alice: Town, body: dict[str, Any], field: str) -> None:
    refused = await ask(alice, "alice", "POST", "/rules/trials", json=body)

    assert refused.status == 400
    assert field in refused.json["errors"]
    assert await alice.database.fetchval("SELECT count(*) FROM rule_trials") == 0


async def test_a_bad_draft_is_refused_with_its_place(alice: Town) -> None:
    inline = await ask(alice, "alice", "POST", "/rules/trials", json={"draft": draft(team="South Side")})
    assert inline.json["data"]["line"] == 1
    assert inline.json["data"]["column"] > 100
    text = "rules: 1\nroutes:\n  - lead_source: Zillow\n    team: South Side\n"
    as_text = await ask(alice, "alice", "POST", "/rules/trials", json={"draft": text})
    places = {each["field"]: (each["line"], each["column"]) for each in as_text.json["data"]["faults"]}
    assert places["routes[0].team"][0] == 4


async def test_the_check_is_answered_for_the_caller_alone(alice: Town) -> None:
    await alice.database.execute("UPDATE users SET is_active = true")
    await alice.route("alice")

    found = (await ask(alice, "alice", "GET", "/rules/check")).json
    other = (await ask(alice, "dave", "GET", "/rules/check")).json

    assert found["rule_set"] >= 1
    assert {"code", "severity", "resource", "id", "message", "see"} == set(found["findings"][0])
    assert [each["code"] for each in found["findings"]] == ["channel_not_configured", "empty_campaign"]
    assert other["findings"] == []
