"""Events are stored with what they say, in the transaction of it, for the webhooks that want them, in their order."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from leadroutes import api
from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.domain.webhooks import EVENTS
from leadroutes.store.arrivals import LookupRequest, load_known_records
from leadroutes.store.leads import load_leads
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.routing import RuleSets
from leadroutes.store.suppressions import MOST_HEARD_OF, unsubscribe
from leadroutes.store.webhook_events import note_event
from tests.support.api import ask
from tests.support.hooks import Hooks

URL = "http://127.0.0.1:9/leads"


async def got(hooks: Hooks, path: str, name: str = "alice") -> Any:
    """What this person GETs there."""
    town, brokerage = hooks.brokerage.town, hooks.brokerage
    town.application = api.application(town.database, brokerage.engine, brokerage.arrivals, hooks.settings)
    reply = await ask(town, name, "GET", path)
    assert reply.status == 200, reply.body
    return reply.json


async def data_of(hooks: Hooks, type_: str) -> list[Any]:
    return [json.loads(each["data"]) for each in await hooks.deliveries() if each["type"] == type_]


async def test_the_life_of_a_lead_is_a_sequence_of_events(hooks: Hooks) -> None:
    webhook_id = await hooks.add(URL)
    lead_id = (await hooks.brokerage.ask(type="Buyer")).stored.lead_ids[0]
    assert await hooks.states() == [("lead.arrived", "waiting"), ("lead.offered", "waiting")]

    users = hooks.brokerage.town.users
    await hooks.brokerage.ask(type="Buyer", message="And once more")
    offer_id = await hooks.database.fetchval("SELECT id FROM offers WHERE user_id = $1", users["bob"])
    await hooks.brokerage.engine.decline(hooks.brokerage.owner_id, offer_id, users["bob"])
    await hooks.brokerage.engine.claim(hooks.brokerage.owner_id, lead_id, users["carol"])
    await hooks.brokerage.engine.assign(hooks.brokerage.owner_id, lead_id, users["bob"], users["alice"])

    assert [type_ for type_, _ in await hooks.states()] == [
        "lead.arrived", "lead.offered", "lead.touched", "lead.offered", "lead.declined", "lead.claimed",
        "lead.assigned",
    ]  # fmt: skip
    rows = await hooks.deliveries()
    assert {(each["webhook_id"], each["lead_id"]) for each in rows} == {(webhook_id, lead_id)}
    assert all(each["contact_id"] for each in rows)


async def test_data_is_what_the_owner_would_get_at_that_moment(hooks: Hooks) -> None:
    await hooks.add(URL)
    lead_id = (await hooks.brokerage.ask(type="Buyer", message="Is it free?", city="Denver")).stored.lead_ids[0]
    before = await got(hooks, f"/leads/{lead_id}")
    [offer] = [each for each in (await got(hooks, f"/leads/{lead_id}/offers"))["data"] if each["state"] == "notified"]
    await hooks.brokerage.engine.claim(hooks.brokerage.owner_id, lead_id, hooks.brokerage.town.users["bob"])
    after = await got(hooks, f"/leads/{lead_id}")

    assert await data_of(hooks, "lead.arrived") == [before]
    assert await data_of(hooks, "lead.offered") == [offer]
    assert await data_of(hooks, "lead.claimed") == [after]
    assert before != after
    assert after["claimed_by_user_id"] == hooks.brokerage.town.users["bob"]


async def test_a_lead_that_no_one_claims_and_what_could_not_be_read(hooks: Hooks) -> None:
    await hooks.add(URL, "lead.unclaimed", "arrival.rejected")
    await hooks.brokerage.ask()
    await hooks.brokerage.ask(email="unknown", phone="none")
    for _ in range(2):
        await hooks.database.move_clock(timedelta(hours=1))
        await hooks.brokerage.engine.run_due()

    assert [type_ for type_, _ in await hooks.states()] == ["arrival.rejected", "lead.unclaimed"]
    [rejected] = await data_of(hooks, "arrival.rejected")
    assert rejected == await got(hooks, f"/arrivals/{rejected['id']}")
    assert [each["lead_state"] for each in await data_of(hooks, "lead.unclaimed")] == ["unclaimed"]


async def test_a_contact_that_unsubscribes_is_said_once(hooks: Hooks) -> None:
    await hooks.add(URL, "contact.unsubscribed")
    await hooks.brokerage.ask()
    contact_id = await hooks.database.fetchval("SELECT id FROM contacts")
    for _ in range(2):
        await unsubscribe(hooks.database, UnsubscribeLink(hooks.brokerage.owner_id, contact_id, None, None))

    [data] = await data_of(hooks, "contact.unsubscribed")
    assert data == await got(hooks, f"/contacts/{contact_id}") | {"text": None, "channel": "email"}


async def test_a_wish_that_an_agent_enters_is_the_contacts(hooks: Hooks) -> None:
    await hooks.add(URL, "contact.unsubscribed")
    await hooks.brokerage.ask(phone="303-555-0199")
    await got(hooks, "/contacts")
    for channel, value in (("email", "Mia@example.com"), ("text", "(303) 555-0199")):
        for reason, heard in (("manual", []), ("stopped", [channel])):
            before = len(await hooks.deliveries())
            body = {"channel": channel, "value": value, "reason": reason}
            reply = await ask(hooks.brokerage.town, "alice", "POST", "/suppressions", json=body)
            assert reply.status == 201, reply.body
            assert [json.loads(each["data"])["channel"] for each in (await hooks.deliveries())[before:]] == heard


async def test_of_very_many_contacts_with_one_address_webhooks_hear_of_the_newest(hooks: Hooks) -> None:
    await hooks.add(URL, "contact.unsubscribed")
    await hooks.database.execute(
        "INSERT INTO contacts (owner_id, email, created_at, modified_at)"
        " SELECT $1, 'none@example.com', now(), now() FROM generate_series(1, $2::int)",
        hooks.brokerage.owner_id, 3 * MOST_HEARD_OF,
    )  # fmt: skip
    await got(hooks, "/contacts")
    body = {"channel": "email", "value": "none@example.com", "reason": "stopped"}
    reply = await ask(hooks.brokerage.town, "alice", "POST", "/suppressions", json=body)
    assert reply.status == 201, reply.body
    heard = [each["id"] for each in await data_of(hooks, "contact.unsubscribed")]
    newest = await hooks.database.fetch("SELECT id FROM contacts ORDER BY id DESC LIMIT $1", MOST_HEARD_OF)
    assert sorted(heard) == sorted(row["id"] for row in newest)


async def test_a_message_that_fails_is_said_with_its_reason(hooks: Hooks) -> None:
    await hooks.add(URL, "message.failed")
    await hooks.brokerage.ask()
    row = await hooks.database.fetchrow("SELECT owner_id, id FROM messages")
    key, log = MessageKey(row["owner_id"], row["id"]), DeliveryLog(hooks.database)
    for state in ("queued", "failed"):
        message = await log.begin(key)
        assert message is not None
        await log.note(key, message.attempts, DeliveryOutcome(state=state, reason="550 no such user"))

    [data] = await data_of(hooks, "message.failed")
    assert data == await got(hooks, f"/messages/{key.id}")
    assert (data["state"], data["reason"]) == ("failed", "550 no such user")


# ----------------------------------------------------------------------------------------------------- who is sent what


async def test_only_what_is_wanted_is_stored_and_only_where_it_is_wanted(hooks: Hooks) -> None:
    some = await hooks.add(URL, "lead.offered")
    everything = await hooks.add(URL)
    await hooks.add(URL, is_active=False)
    await hooks.add(URL, name="dave")
    await hooks.brokerage.ask()

    found = [(each["webhook_id"], each["type"]) for each in await hooks.deliveries()]
    assert sorted(found) == sorted([(everything, "lead.arrived"), (everything, "lead.offered"), (some, "lead.offered")])


async def test_what_is_rolled_back_is_not_sent(hooks: Hooks) -> None:
    await hooks.add(URL)
    lead_id = (await hooks.brokerage.ask()).stored.lead_ids[0]
    before = len(await hooks.deliveries())

    async def fail() -> None:
        async with hooks.database.transaction() as transaction:
            note_event(transaction, hooks.brokerage.owner_id, "lead.claimed", lead_id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert len(await hooks.deliveries()) == before


async def test_a_record_that_is_gone_by_then_has_no_event(hooks: Hooks) -> None:
    await hooks.add(URL)
    async with hooks.database.transaction() as transaction:
        note_event(transaction, hooks.brokerage.owner_id, "lead.claimed", 987_654)

    assert await hooks.deliveries() == []


@pytest.mark.parametrize("type_", EVENTS)
async def test_every_event_can_be_noted_with_one_call(hooks: Hooks, type_: str) -> None:
    await hooks.add(URL)
    await hooks.brokerage.ask()
    tables = {"lead": "leads", "offer": "leads", "contact": "contacts", "message": "messages", "arrival": "arrivals"}
    record_id = await hooks.database.fetchval(f"SELECT min(id) FROM {tables[EVENTS[type_]]}")
    before = len(await hooks.deliveries())
    async with hooks.database.transaction() as transaction:
        bob = hooks.brokerage.town.users["bob"]
        note_event(transaction, hooks.brokerage.owner_id, type_, record_id, user_id=bob, text="Yes, please")

    [added] = (await hooks.deliveries())[before:]
    data = json.loads(added["data"])
    assert data["text"] == "Yes, please"
    assert (added["type"], added["state"]) == (type_, "waiting")


async def test_owners_without_webhooks_are_not_even_asked_about(hooks: Hooks) -> None:
    """The statements that every arrival and claim needs anyway say who has webhooks."""
    lead_id = (await hooks.brokerage.ask()).stored.lead_ids[0]
    owner_id = hooks.brokerage.owner_id
    for has_webhook in (False, True):
        if has_webhook:
            await hooks.add(URL)
        async with hooks.database.transaction() as transaction:
            await load_leads(transaction, RuleSets(), [(owner_id, lead_id)])
            note_event(transaction, owner_id, "lead.claimed", lead_id)
            assert bool(transaction.before_commit) is has_webhook
        async with hooks.database.transaction() as transaction:
            await load_known_records(transaction, LookupRequest(owners={owner_id}))
            assert transaction.without_webhooks == (set() if has_webhook else {owner_id})


# ----------------------------------------------------------------------------------------------------------- the order


async def test_numbers_follow_the_commits_of_transactions_that_run_at_once(hooks: Hooks) -> None:
    """Whoever has numbered its deliveries holds up the others until its commit: so no number is seen late."""
    await hooks.add(URL)
    lead_id = (await hooks.brokerage.ask()).stored.lead_ids[0]
    owner_id = hooks.brokerage.owner_id
    seen: list[list[int]] = []
    is_over = asyncio.Event()

    async def touch(number: int) -> None:
        async with hooks.database.transaction() as transaction:
            note_event(transaction, owner_id, "lead.touched", lead_id, number=number)
            await asyncio.sleep(0.001 * (number % 5))

    async def watch() -> None:
        while not is_over.is_set():
            seen.append([each["id"] for each in await hooks.deliveries("id")])

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(touch(number) for number in range(40)))
    is_over.set()
    await watching
    rows = await hooks.deliveries()

    assert sorted(number for each in rows if (number := json.loads(each["data"]).get("number")) is not None) == list(
        range(40)
    )
    ids = [each["id"] for each in rows]
    assert [each["due_at"] for each in rows] == sorted(each["due_at"] for each in rows)
    assert [found for found in seen if found != ids[: len(found)]] == [], "a lower number has come later"
    assert len({len(found) for found in seen}) > 2
