"""Calls leave one after the other over all processes, never twice at once, and are ended when they have no purpose."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from leadroutes.channels import open_channels
from leadroutes.channels.envelope import Channel
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.store.calls import CallKey, note_call_state
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.hooks import Hooks
from tests.support.provider import NUMBER, Provider, Refusal

BOB = "+13035550002"


@dataclass
class Caller:
    """Alice's brokerage, whose members are called, by day; calls are made by hand."""

    brokerage: Brokerage
    provider: Provider
    settings: Settings
    deliveries: list[tuple[MessageDelivery, Mapping[str, Channel | None]]] = field(default_factory=list)

    @property
    def delivery(self) -> MessageDelivery:
        return self.deliveries[0][0]

    def process(self, **changes: Any) -> MessageDelivery:
        """One more process that delivers, with these settings."""
        settings = replace(self.settings, **changes)
        channels = open_channels(settings)
        self.deliveries.append((MessageDelivery(self.database, channels, settings), channels))
        return self.deliveries[-1][0]

    @property
    def database(self) -> Database:
        return self.brokerage.town.database

    async def ask(self, **fields: Any) -> tuple[int, MessageKey]:
        """Someone asks; the lead, and the call to Bob that waits."""
        [lead_id] = (await self.brokerage.ask(**fields)).stored.lead_ids
        message_id = await self.database.fetchval(
            "SELECT id FROM messages WHERE lead_id = $1 AND channel = 'call'", lead_id
        )
        return lead_id, MessageKey(self.brokerage.owner_id, message_id)

    async def message(self, key: MessageKey) -> dict[str, Any]:
        row = await self.database.fetchrow("SELECT * FROM messages WHERE id = $1", key.id)
        return dict(row or {})

    @property
    def ended(self) -> list[str]:
        """The calls that the provider was asked to end."""
        found = [re.fullmatch(r"/Calls/(\w+)\.json", each.path) for each in self.provider.asked]
        return [each[1] for each in found if each is not None]


@pytest.fixture
async def caller(brokerage: Brokerage, provider: Provider, settings: Settings) -> AsyncIterator[Caller]:
    database = brokerage.town.database
    now = database.clock.now()
    noon = (now + timedelta(days=1)).replace(hour=19, minute=30)
    await database.move_clock(noon - now)
    await database.execute("UPDATE users SET phone = $1 WHERE username = 'bob'", BOB)
    await database.execute("UPDATE team_member_distribution_options SET has_call_alert = true, has_email_alert = false")
    settings = replace(settings, **provider.settings, calls_per_second=1000.0)
    caller = Caller(brokerage, provider, settings)
    caller.process()
    yield caller
    for _, channels in caller.deliveries:
        for channel in channels.values():
            if channel is not None:
                await channel.close()


async def test_a_call_is_asked_for_with_its_addresses(caller: Caller) -> None:
    _, key = await caller.ask()
    await caller.delivery.deliver(key)
    [asked] = [each for each in caller.provider.asked if each.path == "/Calls.json"]
    assert (asked.fields["To"], asked.fields["From"], asked.fields["Timeout"]) == (BOB, NUMBER, "30")
    token = re.fullmatch(r"https://leads\.example/twilio/calls/([\w-]{43})#ct=\d+&rc=\d&rp=all", asked.fields["Url"])
    assert token is not None
    assert asked.fields["StatusCallback"].startswith(f"https://leads.example/twilio/status?call={token[1]}#")
    message = await caller.message(key)
    assert (message["state"], message["provider_state"], message["address"]) == ("sent", "queued", BOB)
    assert token[1] not in str(message)


async def test_calls_of_all_processes_leave_one_after_the_other(caller: Caller) -> None:
    moments: list[float] = []

    async def note_moment(_record: dict[str, Any]) -> None:
        moments.append(asyncio.get_running_loop().time())

    caller.provider.before_call = note_moment
    processes = [caller.process(calls_per_second=5.0) for _ in range(3)]
    keys = [(await caller.ask(email=f"mia{number}@example.com"))[1] for number in range(6)]
    deliveries = (process.deliver(key) for process, key in zip(processes * 2, keys, strict=True))
    await asyncio.gather(*deliveries)
    assert len(moments) == 6
    assert max(moments) - min(moments) > 0.6, "the first may be late, the last is not early"


async def test_whoever_comes_too_late_in_line_comes_back_later(caller: Caller) -> None:
    delivery = caller.process(calls_per_second=0.1)
    _, first = await caller.ask(email="mia1@example.com")
    await delivery.deliver(first)
    _, second = await caller.ask(email="mia2@example.com")
    with pytest.raises(RetryLater) as later:
        await delivery.deliver(second)
    assert later.value.delay > timedelta(seconds=1)
    message = await caller.message(second)
    assert (message["state"], message["attempts"]) == ("queued", 0)
    assert await caller.database.fetchval("SELECT count(*) FROM calls") == 1


@pytest.mark.parametrize("state", ["busy", "no-answer", "failed"])
async def test_an_end_that_is_reported_before_the_answer_counts(caller: Caller, state: str) -> None:
    """The provider's report may be faster than its answer to the request that placed the call."""

    async def report(record: dict[str, Any]) -> None:
        token = record["fields"]["StatusCallback"].partition("call=")[2].partition("#")[0]
        await note_call_state(caller.database, token, record["sid"], state)

    caller.provider.before_call = report
    _, key = await caller.ask()
    await caller.delivery.deliver(key)
    message = await caller.message(key)
    assert (message["state"], message["provider_state"]) == ("queued", state)
    assert message["leaves_at"] is not None


async def test_webhooks_hear_of_a_call_that_is_given_up(caller: Caller, hooks: Hooks) -> None:
    await hooks.add("http://127.0.0.1:9/leads", "message.failed")
    _, key = await caller.ask()
    for _ in range(2):
        assert await hooks.deliveries() == []
        await caller.delivery.deliver(key)
        await caller.database.move_clock(timedelta(seconds=61))
        asked = [each for each in caller.provider.asked if each.path == "/Calls.json"][-1]
        token = asked.fields["StatusCallback"].partition("call=")[2].partition("#")[0]
        provider_id = (await caller.message(key))["provider_id"]
        await note_call_state(caller.database, token, provider_id, "busy")

    [heard] = await hooks.deliveries()
    data = json.loads(heard["data"])
    assert (heard["type"], data["id"], data["state"]) == ("message.failed", key.id, "failed")
    assert data["reason"] == "the phone was busy, twice"


async def test_a_call_whose_offer_is_closed_while_it_is_placed_is_ended_at_once(caller: Caller) -> None:
    town = caller.brokerage.town
    lead_id, key = await caller.ask()

    async def assign(_record: dict[str, Any]) -> None:
        await caller.brokerage.engine.assign(
            caller.brokerage.owner_id, lead_id, town.users["carol"], caller.brokerage.owner_id
        )

    caller.provider.before_call = assign
    await caller.delivery.deliver(key)
    assert caller.ended == list(caller.provider.calls)


async def test_the_end_of_a_call_is_asked_for_again_while_the_provider_is_away(caller: Caller) -> None:
    lead_id, key = await caller.ask()
    await caller.delivery.deliver(key)
    [call_id] = caller.provider.calls
    users = caller.brokerage.town.users
    await caller.brokerage.engine.assign(caller.brokerage.owner_id, lead_id, users["carol"], caller.brokerage.owner_id)
    row = await caller.database.fetchrow("SELECT owner_id, id FROM calls")
    assert row is not None
    queued = await caller.database.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'end_call'")
    assert queued == 1
    call = CallKey(row["owner_id"], row["id"])
    caller.provider.refusals.append(Refusal(status=503))
    with pytest.raises(RetryLater):
        await caller.delivery.calls.end(call, 1)
    await caller.delivery.calls.end(call, 2)
    assert caller.ended == [call_id, call_id]
    await caller.database.execute("UPDATE calls SET ended_at = now(), outcome = 'canceled'")
    await caller.delivery.calls.end(call, 3)
    assert len(caller.ended) == 2


@pytest.mark.parametrize("phone", [None, "", "ask my office"])
async def test_a_number_that_cannot_be_called(caller: Caller, phone: str | None) -> None:
    await caller.database.execute("UPDATE users SET phone = $1 WHERE username = 'bob'", phone)
    _, key = await caller.ask()
    await caller.delivery.deliver(key)
    message = await caller.message(key)
    assert (message["state"], message["reason"]) == ("suppressed", "the user has no phone number")
    assert caller.provider.asked == []


async def test_what_the_provider_refuses_for_good_has_failed(caller: Caller) -> None:
    caller.provider.refusals.append(Refusal(status=400, code=21211, message="Invalid 'To' Phone Number"))
    _, key = await caller.ask()
    await caller.delivery.deliver(key)
    message = await caller.message(key)
    assert message["state"] == "failed"
    assert message["reason"] == "the provider said 21211: Invalid 'To' Phone Number"


async def test_with_wrong_credentials_calls_wait(caller: Caller) -> None:
    caller.provider.password = "another one"
    _, key = await caller.ask()
    with pytest.raises(RetryLater):
        await caller.delivery.deliver(key)
    message = await caller.message(key)
    assert message["state"] == "queued"
    assert message["reason"].startswith("waits: the provider said 20003")


async def test_a_step_of_a_campaign_asks_an_agent_and_calls_no_one(caller: Caller) -> None:
    town = caller.brokerage.town
    campaign_id = await town.database.fetchval("SELECT min(id) FROM campaigns")
    await town.action("alice", campaign_id, type="Call Contact")
    await caller.brokerage.ask(phone="303-555-0199")
    await caller.brokerage.engine.run_due()
    message_id = await caller.database.fetchval("SELECT id FROM messages WHERE kind = 'campaign'")
    key = MessageKey(caller.brokerage.owner_id, message_id)
    await caller.delivery.deliver(key)
    message = await caller.message(key)
    assert (message["state"], message["reason"]) == ("sent", None)
    alerts = await caller.database.fetch("SELECT user_id FROM messages WHERE kind = 'call_due'")
    assert [each["user_id"] for each in alerts] == [town.users["alice"]]
    assert [each.path for each in caller.provider.asked] == []


# ------------------------------------------------------------------------------------------------------------- at night


FAILED = DeliveryOutcome(state="failed", reason="it is refused for good")


async def fail(caller: Caller, key: MessageKey) -> None:
    """The message has failed for good, as the worker notes it."""
    log = DeliveryLog(caller.database)
    message = await log.begin(key)
    assert message is not None
    assert await log.note(key, message.attempts, FAILED)


async def alerts(caller: Caller) -> dict[str, MessageKey]:
    """The alerts about Bob's offer, by channel."""
    rows = await caller.database.fetch("SELECT owner_id, id, channel FROM messages WHERE kind = 'offer'")
    return {row["channel"]: MessageKey(row["owner_id"], row["id"]) for row in rows}


async def test_at_night_the_next_is_asked_where_what_goes_instead_of_the_call_fails(caller: Caller) -> None:
    await caller.database.move_clock(timedelta(hours=12))
    lead_id, key = await caller.ask()
    await caller.delivery.deliver(key)
    await fail(caller, (await alerts(caller))["text"])
    await caller.brokerage.engine.run_due()

    assert (await caller.message(key))["state"] == "suppressed"
    assert await caller.brokerage.states(lead_id) == {"bob": "notified", "carol": "notified"}


async def test_at_night_the_next_is_asked_where_all_else_has_failed_before_the_call(caller: Caller) -> None:
    await caller.database.move_clock(timedelta(hours=12))
    await caller.database.execute(
        "UPDATE team_member_distribution_options SET has_text_alert = true, has_email_alert = true"
    )
    lead_id, key = await caller.ask()
    found = await alerts(caller)
    for channel in ("text", "email"):
        await fail(caller, found[channel])
    await caller.brokerage.engine.run_due()
    assert await caller.brokerage.states(lead_id) == {"bob": "notified", "carol": "scheduled"}
    await caller.delivery.deliver(key)
    await caller.brokerage.engine.run_due()

    message = await caller.message(key)
    assert message["state"] == "failed"
    assert message["advice"].startswith("It was night where the agent is, and nothing else got through. Look at ")
    assert await caller.brokerage.states(lead_id) == {"bob": "notified", "carol": "notified"}
