"""Alerts in browsers: beside the other channels, at once, to all browsers of the user, and no more than the preview."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from leadroutes.channels import open_channels
from leadroutes.engine.push_keys import load_push_keys, replace_push_keys
from leadroutes.errors import Misconfigured
from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.operations.doctor import examine
from leadroutes.retry import RetryLater
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store.messages import MessageKey
from leadroutes.store.queue import RowKey
from leadroutes.store.received_texts import NewText, add_received_text
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.push_service import FakeBrowser, PushServer
from tests.support.sender import Sender


@pytest.fixture
def settings(settings: Settings, push_service: PushServer) -> Settings:
    return replace(settings, push_services=push_service.url, secret="a secret of the tests")


@pytest.fixture
async def sender(brokerage: Brokerage, settings: Settings) -> AsyncIterator[Sender]:
    channels = open_channels(settings)
    delivery = MessageDelivery(brokerage.town.database, channels, settings)
    yield Sender(brokerage.town.database, delivery)
    await delivery.close()
    for channel in channels.values():
        if channel is not None:
            await channel.close()


@pytest.fixture
async def phone(brokerage: Brokerage, push_service: PushServer) -> FakeBrowser:
    """Bob's."""
    return await push_service.allowed(brokerage.town.database, brokerage.town.users["bob"])


async def ask(brokerage: Brokerage, **fields: Any) -> int:
    return (await brokerage.ask(phone="303-555-0147", city="Denver", lead_type="Buyer", **fields)).stored.lead_ids[0]


async def deliver_all(sender: Sender) -> None:
    for row in await sender.database.fetch("SELECT id FROM messages WHERE state = 'queued' ORDER BY id"):
        await sender.deliver(row["id"])


async def rows(brokerage: Brokerage, kind: str = "offer") -> list[tuple[str, str, str | None]]:
    """(channel, state, reason) of the messages of a kind."""
    found = await brokerage.town.database.fetch(
        "SELECT channel, state, reason FROM messages WHERE kind = $1 ORDER BY user_id, channel", kind
    )
    return [tuple(row) for row in found]


async def test_an_alert_goes_to_every_browser_beside_the_mail(
    brokerage: Brokerage, sender: Sender, push_service: PushServer, phone: FakeBrowser
) -> None:
    desk = await push_service.allowed(brokerage.town.database, brokerage.town.users["bob"])
    lead_id = await ask(brokerage, message="My gate code is 4711", listing_price="450000")
    await deliver_all(sender)

    assert await rows(brokerage) == [("email", "sent", None), ("push", "sent", None)]
    offer_id = await sender.database.fetchval("SELECT min(id) FROM offers")
    assert phone.shown == desk.shown
    [shown] = phone.shown
    assert shown["title"].startswith("New lead: Mia, in Denver, Buyer, $450,000")
    assert (shown["path"], shown["tag"], shown["silent"]) == (f"offers/{offer_id}", f"lead-{lead_id}", False)
    for secret in ("4711", "0147", "example.com", "Lund", "/claim/"):
        assert secret not in str(shown)
    assert phone.headers[0]["urgency"] == "high"
    stored = await sender.database.fetchrow("SELECT address, sent_at, text_body FROM messages WHERE channel = 'push'")
    assert (stored["address"], stored["text_body"]) == ("browsers", shown["body"])
    assert (await examine(sender.database)).violations == ()


async def test_users_without_a_browser_get_no_message_for_one(brokerage: Brokerage, sender: Sender) -> None:
    await ask(brokerage)
    assert await rows(brokerage) == [("email", "queued", None)]


async def test_whoever_has_it_is_said_in_place_of_the_offer_and_without_a_sound(
    brokerage: Brokerage, sender: Sender, phone: FakeBrowser
) -> None:
    await brokerage.town.database.execute(
        "INSERT INTO alert_preferences (user_id, claimed, quiet_from, quiet_to) VALUES ($1, '{}', '00:00', '23:59')",
        brokerage.town.users["bob"],
    )
    lead_id = await ask(brokerage)
    await deliver_all(sender)
    await brokerage.engine.assign(brokerage.owner_id, lead_id, brokerage.town.users["carol"], brokerage.owner_id)
    await deliver_all(sender)

    offered, taken = phone.shown
    assert taken["title"].startswith("Taken: Mia, in Denver")
    assert "Carol Town claimed this lead" in taken["body"]
    assert (taken["tag"], taken["silent"]) == (offered["tag"], True)
    assert await rows(brokerage, "claimed") == [("push", "sent", None)], "no mail is wanted, and it does not wait"


async def test_the_answer_of_a_contact_is_shown_and_leads_to_the_contact(
    brokerage: Brokerage, sender: Sender, phone: FakeBrowser
) -> None:
    lead_id = await ask(brokerage)
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    for number, said in enumerate(("My gate code is 4711", "On Sunday?")):
        text = NewText(provider_id=f"SM{number}", number="+13035550100", phone="+13035550147", body=said)
        await add_received_text(sender.database, text)
        text_id = await sender.database.fetchval("SELECT max(id) FROM received_texts")
        texts = ReceivedTexts(brokerage.arrivals, Settings())
        await texts.read(msgspec.json.encode(RowKey(0, text_id)), 1)
    await deliver_all(sender)

    replied = [row for row in await rows(brokerage, "replied") if row[0] == "push"]
    assert replied == [("push", "sent", None)] * 2
    first, second = phone.shown[-2:]
    contact_id = await sender.database.fetchval("SELECT contact_id FROM leads")
    assert (first["title"], first["path"]) == ("Mia Lund has answered", f"contacts/{contact_id}")
    assert first["tag"] == second["tag"], "one notification for each contact"
    assert "4711" not in str(phone.shown)


async def test_an_offer_that_is_over_is_not_shown(brokerage: Brokerage, sender: Sender, phone: FakeBrowser) -> None:
    lead_id = await ask(brokerage)
    await brokerage.engine.claim(brokerage.owner_id, lead_id, brokerage.town.users["bob"])
    await deliver_all(sender)
    assert phone.shown == []
    assert await rows(brokerage) == [
        ("email", "suppressed", "Bob Town had claimed the lead"),
        ("push", "suppressed", "Bob Town had claimed the lead"),
    ]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    brokerage: Brokerage, sender: Sender, push_service: PushServer, phone: FakeBrowser, status: int
) -> None:
    desk = await push_service.allowed(brokerage.town.database, brokerage.town.users["bob"])
    phone.status = status
    await ask(brokerage)
    await deliver_all(sender)

    assert await rows(brokerage) == [("email", "sent", None), ("push", "sent", None)]
    assert len(desk.shown) == 1
    left = await sender.database.fetch("SELECT endpoint FROM push_subscriptions")
    assert [row["endpoint"] for row in left] == [desk.endpoint]


async def test_when_all_browsers_are_gone_nothing_has_failed(
    brokerage: Brokerage, sender: Sender, phone: FakeBrowser
) -> None:
    phone.status = 410
    await ask(brokerage)
    await deliver_all(sender)
    assert (await rows(brokerage))[1] == (
        "push", "suppressed", "no browser of the user shows notifications any more"
    )  # fmt: skip
    assert await sender.database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def test_a_service_that_is_down_is_asked_again(brokerage: Brokerage, sender: Sender, phone: FakeBrowser) -> None:
    await ask(brokerage)
    message_id = await sender.the_only("channel = 'push'")
    phone.status = 503
    with pytest.raises(RetryLater):
        await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("queued", "the push service said 503 said")
    phone.status = 201
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("sent", None)
    assert len(phone.shown) == 1


async def test_one_browser_that_has_it_is_enough(
    brokerage: Brokerage, sender: Sender, push_service: PushServer, phone: FakeBrowser
) -> None:
    desk = await push_service.allowed(brokerage.town.database, brokerage.town.users["bob"])
    phone.status = 500
    await ask(brokerage)
    await deliver_all(sender)
    assert await sender.outcome(await sender.the_only("channel = 'push'")) == ("sent", None)
    assert (len(phone.shown), len(desk.shown)) == (0, 1)


async def test_a_refusal_is_no_reason_to_ask_the_next_member(
    brokerage: Brokerage, sender: Sender, phone: FakeBrowser
) -> None:
    phone.status = 403
    lead_id = await ask(brokerage)
    await deliver_all(sender)
    await brokerage.engine.run_due()
    assert (await rows(brokerage))[1][1] == "failed"
    assert await brokerage.states(lead_id) == {"bob": "notified", "carol": "scheduled"}


# ------------------------------------------------------------------------------------------------------- the keys


async def test_the_keys_are_made_once_and_never_stored_in_the_open(brokerage: Brokerage, settings: Settings) -> None:
    database, vault = brokerage.town.database, Vault.of(settings)
    keys = await load_push_keys(database, vault)
    again = await load_push_keys(database, vault)
    sealed = await database.fetchval("SELECT sealed FROM push_keys")

    assert keys.public_key == again.public_key
    assert keys.written.encode() not in sealed


async def test_without_the_installations_secret_notifications_wait_and_say_why(
    brokerage: Brokerage, sender: Sender, settings: Settings, phone: FakeBrowser
) -> None:
    await load_push_keys(brokerage.town.database, Vault("another secret of before"))
    with pytest.raises(Misconfigured, match="another LEADROUTES_SECRET"):
        await load_push_keys(brokerage.town.database, Vault.of(settings))
    await ask(brokerage)
    message_id = await sender.the_only("channel = 'push'")
    with pytest.raises(RetryLater):
        await sender.deliver(message_id)
    state, reason = await sender.outcome(message_id)
    assert (state, (reason or "")[:44]) == ("queued", "waits: the keys for notifications were store")
    assert await sender.database.fetchval("SELECT channel FROM channel_faults") == "push"


async def test_new_keys_end_all_subscriptions(brokerage: Brokerage, settings: Settings, phone: FakeBrowser) -> None:
    database, vault = brokerage.town.database, Vault.of(settings)
    before = await load_push_keys(database, vault)
    made, removed = await replace_push_keys(database, vault)
    assert made.public_key != before.public_key
    assert (await load_push_keys(database, vault)).public_key == made.public_key
    assert removed == 1
    assert await database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


# ------------------------------------------------------------------------------------------------------ quiet time


async def test_what_is_no_offer_waits_for_the_end_of_the_quiet_time(
    brokerage: Brokerage, sender: Sender, phone: FakeBrowser
) -> None:
    database, bob = brokerage.town.database, brokerage.town.users["bob"]
    await database.execute("UPDATE users SET timezone = 'America/Denver' WHERE id = $1", bob)
    now = await local_minutes(brokerage)
    begins, ends = (f"{(now + each) % 1440 // 60:02}:{(now + each) % 60:02}" for each in (-60, 60))
    await database.execute(
        "INSERT INTO alert_preferences (user_id, quiet_from, quiet_to) VALUES ($1, $2, $3)", bob, begins, ends
    )
    lead_id = await ask(brokerage)
    await deliver_all(sender)
    assert len(phone.shown) == 1, "an offer comes at any hour"
    await brokerage.engine.assign(brokerage.owner_id, lead_id, bob, brokerage.owner_id)
    await deliver_all(sender)

    waits = f"waits until {ends}, the end of the user's quiet time"
    assert await rows(brokerage, "won") == [("email", "queued", waits), ("push", "queued", waits)]
    assert len(phone.shown) == 1
    assert [each.sentence for each in (await examine(database)).violations] == []
    await move(brokerage, 50)
    await deliver_by_jobs(brokerage, sender)
    assert await rows(brokerage, "won") == [("email", "queued", waits), ("push", "queued", waits)]
    await move(brokerage, 11)
    await deliver_by_jobs(brokerage, sender)
    assert await rows(brokerage, "won") == [("email", "sent", None), ("push", "sent", None)]
    assert phone.titles[1].startswith("You have the lead: Mia")


async def local_minutes(brokerage: Brokerage) -> int:
    """Of the day, in Denver."""
    now = await brokerage.town.database.fetchval(
        "SELECT $1::timestamptz AT TIME ZONE 'America/Denver'", brokerage.town.now
    )
    return int(now.hour * 60 + now.minute)


async def move(brokerage: Brokerage, minutes: int) -> None:
    await brokerage.town.database.move_clock(timedelta(minutes=minutes))
    await brokerage.engine.run_due()


async def deliver_by_jobs(brokerage: Brokerage, sender: Sender) -> None:
    """The messages for which there is a job that has not been done, once each."""
    jobs = await sender.database.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'deliver' RETURNING payload")
    for payload in {bytes(job["payload"]) for job in jobs}:
        key = msgspec.json.decode(payload, type=MessageKey)
        if await sender.database.fetchval("SELECT leaves_at FROM messages WHERE id = $1", key.id) is None:
            await sender.delivery.deliver(key)
