"""Test leads: routed, offered and claimed as any other, counted nowhere, and removed again without a trace."""

import asyncio
from typing import Any

import pytest

from leadroutes.channels.words import alert_content
from leadroutes.domain.message import MessageLead, MessageStatus, OutgoingMessage
from tests.support.api import ask, create
from tests.support.town import Town


@pytest.fixture
async def key(town: Town) -> Any:
    """A key for Zillow, whose leads are offered to Bob in Alice's team, with a campaign from the arrival on."""
    await town.option("alice", town.team_id, "bob", rank=1)
    campaign_id = await town.campaign("alice")
    await town.action("alice", campaign_id, template_id=await town.template("alice"))
    await town.route("alice", campaign_id=campaign_id)
    await town.database.execute("UPDATE users SET phone = '+16045550111' WHERE id = $1", town.users["alice"])
    return await create(town, "alice", "/intake-keys", {"lead_source_id": 1})


async def send(town: Town, key: Any, **given: Any) -> Any:
    return await create(town, "alice", f"/intake-keys/{key['id']}/test-lead", given)


async def test_a_test_lead_is_routed_and_offered_and_counted_nowhere(town: Town, key: Any) -> None:
    lead = await send(town, key, type="Buyer", zipcode="80202")
    assert (lead["is_test"], lead["type"], lead["zipcode"], lead["source_id"]) == (True, "Buyer", "80202", 1)
    contact = (await ask(town, "alice", "GET", f"/contacts/{lead['contact_id']}")).json
    assert (contact["first_name"], contact["email"]) == ("Alice", "alice@example.com")
    assert contact["mobile_phone"] == "+16045550111"
    offers = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/offers")).json["data"]
    assert [each["user"]["id"] for each in offers] == [town.users["bob"]]
    [message] = (await ask(town, "alice", "GET", "/messages?kind=offer")).json["data"]
    assert (message["lead_id"], message["user_id"]) == (lead["id"], town.users["bob"])
    assert set((await ask(town, "alice", "GET", "/ledger")).json.values()) == {0}
    assert (await ask(town, "alice", "GET", "/leads?is_test=true")).ids == [lead["id"]]
    assert (await ask(town, "alice", "GET", "/leads?is_test=false")).ids == []


async def test_a_test_lead_starts_no_campaign_on_arrival_or_claim(town: Town, key: Any) -> None:
    first = await send(town, key)
    await town.database.execute("UPDATE lead_routes SET campaign_start = 'Claim'")
    second = await send(town, key)
    for lead in (first, second):
        assert (await ask(town, "bob", "POST", f"/leads/{lead['id']}/claim", json={})).status == 200
    assert await town.database.fetchval("SELECT count(*) FROM campaign_contacts") == 0
    outcome = (await ask(town, "alice", "GET", f"/leads/{first['id']}/routing")).json["outcome"]
    assert outcome.endswith("no campaign was started: it is a test lead")


async def test_a_test_lead_takes_no_turn(town: Town, key: Any) -> None:
    await town.database.execute("UPDATE teams SET order_method = 'Round Robin'")
    await town.option("alice", town.team_id, "carol", rank=1)

    async def first_in_line(lead: Any) -> int:
        offers = (await ask(town, "alice", "GET", f"/leads/{lead['id']}/offers")).json["data"]
        return int(min(offers, key=lambda each: each["notify_at"])["user"]["id"])

    assert len({await first_in_line(await send(town, key)) for _ in range(3)}) == 1


async def test_each_test_is_a_lead_of_its_own_even_if_the_presser_is_a_contact(town: Town, key: Any) -> None:
    person = {"first_name": "Alice", "email": "alice@example.com", "message": "For real"}
    real = await ask(town, None, "POST", f"/intake/{key['key']}", json=person)
    tests = await asyncio.gather(*(send(town, key) for _ in range(3)))
    assert len({each["id"] for each in tests} | {real.json["id"]}) == 4
    assert real.json["contact_id"] not in {each["contact_id"] for each in tests}
    touch = await ask(town, None, "POST", f"/intake/{key['key']}", json=person | {"message": "Again"})
    assert (touch.status, touch.json["id"]) == (200, real.json["id"])


async def test_test_leads_are_removed_with_all_that_belongs_to_them(town: Town, key: Any) -> None:
    real = await ask(town, None, "POST", f"/intake/{key['key']}", json={"first_name": "Tom", "email": "t@example.com"})
    claimed, _ = await send(town, key), await send(town, key)
    await ask(town, "bob", "POST", f"/leads/{claimed['id']}/claim", json={})
    for name, removed in (("bob", 0), ("dave", 0), ("alice", 2), ("alice", 0)):
        reply = await ask(town, name, "DELETE", "/test-leads")
        assert (reply.status, reply.json) == (200, {"removed": removed})
    for table in ("leads", "contacts", "arrivals", "offers"):
        assert await town.database.fetchval(f"SELECT count(*) FROM {table}") == 1, table
    assert (await ask(town, "alice", "GET", "/leads")).ids == [real.json["id"]]


async def test_a_contact_that_got_a_real_lead_stays(town: Town, key: Any) -> None:
    test = await send(town, key)
    body = {"contact_id": test["contact_id"], "source_id": 1}
    real = await create(town, "alice", "/leads", body)
    await ask(town, "alice", "DELETE", "/test-leads")
    assert (await ask(town, "alice", "GET", "/leads")).ids == [real["id"]]


async def test_only_the_owner_of_a_key_tries_it_and_wrong_fields_are_named(town: Town, key: Any) -> None:
    path = f"/intake-keys/{key['id']}/test-lead"
    for name in ("bob", "dave"):
        assert (await ask(town, name, "POST", path, json={})).status == 404
    reply = await ask(town, "alice", "POST", path, json={"email": "x@example.com", "type": ["Buyer"]})
    assert (reply.status, sorted(reply.json["errors"])) == (400, ["email", "type"])


@pytest.mark.parametrize(("channel", "where"), [("email", "subject"), ("text", "text_body")])
def test_an_alert_of_a_test_lead_begins_with_test(channel: str, where: str) -> None:
    message = OutgoingMessage(
        owner_id=1, id=1, kind="won", channel=channel, attempts=1, was_sending=False, status=MessageStatus(),
        lead=MessageLead(id=1, first_name="Mia", is_test=True),
    )  # fmt: skip
    assert getattr(alert_content(message, None), where).startswith("TEST: You have the lead")
