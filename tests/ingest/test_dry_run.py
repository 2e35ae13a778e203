"""A body can be tried out: what would be read, what would become of it, where it would go; and nothing of it stays."""

import json
from typing import Any

import pytest

from tests.support.api import ask
from tests.support.intake_app import IntakeApp
from tests.support.samples import SAMPLES, Sample, samples

JSON = {"Content-Type": "application/json"}
PERSON = {"name": "Mia Lund", "email": "mia@example.com", "type": "buyer", "mls": "77"}
TABLES = ("arrivals", "leads", "contacts", "offers", "messages", "lead_events", "idempotency_keys", "pgqueuer",
          "contact_identities", "rule_sets")  # fmt: skip


@pytest.fixture
async def key(intake: IntakeApp) -> dict[str, Any]:
    await intake.town.option("alice", intake.town.team_id, "bob", rank=1)
    await intake.town.option("alice", intake.town.team_id, "carol", rank=2)
    await intake.town.route("alice", filter="Buyer")
    return (await ask(intake.town, "alice", "POST", "/intake-keys", json={"lead_source_id": 1})).json


async def dry_run_body(intake: IntakeApp, key: dict[str, Any], body: bytes, headers: dict[str, str] = JSON) -> Any:
    reply = await ask(intake.town, "alice", "POST", f"/intake-keys/{key['id']}/trials", body=body, headers=headers)
    assert reply.status == 200, reply.body
    return reply.json


def encoded(**changes: Any) -> bytes:
    return json.dumps(PERSON | changes).encode()


async def everything(intake: IntakeApp) -> dict[str, int]:
    return {table: await intake.count(table) for table in TABLES}


async def test_it_says_what_would_be_read_and_where_it_would_go(intake: IntakeApp, key: dict[str, Any]) -> None:
    before = await everything(intake)
    answer = await dry_run_body(intake, key, encoded())

    assert (answer["format"], answer["read"]["first_name"], answer["read"]["type"]) == ("zapier", "Mia", "Buyer")
    [lead] = answer["leads"]
    assert (lead["outcome"], lead["lead_id"]) == ("a new lead", None)
    routing = lead["routing"]
    assert [route["result"] for route in routing["routes"]] == ["matched"]
    assert routing["team"]["id"] == intake.town.team_id
    bob, carol = intake.town.users["bob"], intake.town.users["carol"]
    assert [each["user_id"] for each in routing["members"]][:2] == [bob, carol]
    assert await everything(intake) == before


async def test_what_it_foresees_is_what_happens(intake: IntakeApp, key: dict[str, Any]) -> None:
    foreseen = (await dry_run_body(intake, key, encoded()))["leads"][0]["routing"]
    lead = (await intake.post(key["key"], encoded(), JSON)).json()
    happened = (await ask(intake.town, "alice", "GET", f"/leads/{lead['id']}/routing")).json
    timeless = [[{k: v for k, v in each.items() if k not in ("notify_at", "words")} for each in routing["members"]]
                for routing in (foreseen, happened)]  # fmt: skip
    assert timeless[0] == timeless[1]
    assert foreseen["outcome"] == happened["outcome"]

    touch = (await dry_run_body(intake, key, encoded(message="Hello?")))["leads"][0]
    assert (touch["outcome"], touch["lead_id"]) == ("a touch of a lead", lead["id"])
    assert await intake.database.fetchval("SELECT count(*) FROM lead_events WHERE kind = 'touched'") == 0


async def test_a_route_that_does_not_match_is_reported_with_its_reason(intake: IntakeApp, key: dict[str, Any]) -> None:
    [lead] = (await dry_run_body(intake, key, encoded(type="seller")))["leads"]

    [route] = lead["routing"]["routes"]
    assert (route["result"], route["field"], route["actual"]) == ("failed", "filter", "Seller")
    assert lead["routing"]["outcome"] == "offered to the owner: no route matches"


async def test_a_refusal_is_reported_in_words(intake: IntakeApp, key: dict[str, Any]) -> None:
    answer = await dry_run_body(intake, key, b'{"name": "Mia"}')

    assert answer["read"] == {"rejected": True, "why": "no_contact"}
    assert answer["leads"] == []
    assert answer["refusals"][0]["detail"].startswith("The inquiry names neither")


@pytest.mark.parametrize("each", samples(), ids=lambda each: each.name)
async def test_every_sample_can_be_tried(intake: IntakeApp, key: dict[str, Any], each: Sample) -> None:
    before = await everything(intake)
    theirs = {name: value for name, value in each.headers.items() if name != "Authorization"}  # ours is there
    answer = await dry_run_body(intake, key, each.body, theirs)

    assert answer["format"] == each.format
    assert answer["read"] == (each.expected if each.graph is None else answer["read"])
    assert await everything(intake) == before
    assert intake.vendor.asked == []


async def test_test_leads_and_several_at_once(intake: IntakeApp, key: dict[str, Any]) -> None:
    body = json.dumps([PERSON, PERSON | {"message": "again"}, PERSON | {"test": True}]).encode()
    answer = await dry_run_body(intake, key, body)

    assert [each["outcome"] for each in answer["leads"]] == ["a new lead", "a touch of a lead", "a test lead"]


async def test_no_one_tries_another_owners_key(intake: IntakeApp, key: dict[str, Any]) -> None:
    for name, status in (("bob", 404), ("dave", 404), (None, 401)):
        url = f"/intake-keys/{key['id']}/trials"
        assert (await ask(intake.town, name, "POST", url, body=encoded(), headers=JSON)).status == status
    assert (await ask(intake.town, "alice", "POST", "/intake-keys/0/trials", json={})).status == 404
    large = await ask(intake.town, "alice", "POST", f"/intake-keys/{key['id']}/trials", body=b"x" * 1_048_577)
    assert large.status == 413


async def test_hostile_bodies_are_only_refused(intake: IntakeApp, key: dict[str, Any]) -> None:
    for body in (b"", b"\x00", b"[" * 100_000, (SAMPLES / "history.csv").read_bytes()):
        assert "rejected" in (await dry_run_body(intake, key, body))["read"]
