"""How alerts reach people: by the channels that they choose, on their phones, and what happens when they do not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.push_service import FakeBrowser, PushServer
from tests.support.story import Story


async def choose(story: Story, name: str, **chosen: Any) -> None:
    answer = await story[name].patch(f"/alert-preferences/{story.town.users[name]}", json=chosen)
    assert answer.status_code == 200, answer.text


async def two_in_a_row(story: Story) -> None:
    await story.option("bob", rank=1)
    await story.option("carol", rank=2)
    await story.route()


async def settled(story: Story) -> None:
    """Nothing waits to be sent."""
    waiting = "SELECT count(*) FROM messages WHERE state IN ('queued', 'sending') AND leaves_at IS NULL"
    async with asyncio.timeout(20):
        while await story.database.fetchval(waiting):  # noqa: ASYNC110 -- the worker tells no one
            await asyncio.sleep(0.02)


async def unclaimed(story: Story, lead_id: int) -> None:
    """The worker has found that no one claimed the lead."""
    async with asyncio.timeout(20):
        while not await story.database.fetchval("SELECT unclaimed_at FROM leads WHERE id = $1", lead_id):  # noqa: ASYNC110 -- the worker tells no one
            await asyncio.sleep(0.02)


async def test_everyone_hears_what_they_want_to_hear(story: Story) -> None:
    await two_in_a_row(story)
    await choose(story, "bob", claimed=[])
    await choose(story, "carol", won=["email"])
    lead = await story.inquire()
    await story.mail_to("bob", "New lead: Mia")
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead: Mia")
    await story.claim("carol", lead["id"])
    await story.mail_to("carol", "You have the lead: Mia")
    await settled(story)
    assert story.mails_to("bob") == ["New lead: Mia"]

    await choose(story, "alice", unclaimed=[])
    quiet = await story.inquire("noor")
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead: Noor")
    await story.pass_time(minutes=20)
    await unclaimed(story, quiet["id"])
    await settled(story)
    offers = (await story.get("alice", f"/leads/{quiet['id']}/offers?$limit=100"))["data"]
    assert "notified" in {each["state"] for each in offers if each["user"]["id"] == story.town.users["alice"]}
    assert [each for each in story.mails_to("alice") if "Noor" in each] == []
    await choose(story, "alice", unclaimed=["email"])
    await story.inquire("tom")
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead: Tom")
    await story.pass_time(minutes=20)
    await story.mail_to("alice", "No one claimed: Tom")


async def test_a_choice_counts_from_the_next_alert_on(story: Story) -> None:
    await two_in_a_row(story)
    lead = await story.inquire()
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead: Mia")
    await choose(story, "bob", claimed=[])
    await story.claim("carol", lead["id"])
    await settled(story)
    assert story.mails_to("bob") == ["New lead: Mia"]


async def test_when_bob_cannot_be_reached_carol_is_asked_at_once(story: Story) -> None:
    await two_in_a_row(story)
    await settled(story)
    story.mailbox.answers = ["552 5.2.2 the mailbox is full"]
    lead = await story.inquire()

    await story.mail_to("carol", "New lead: Mia")
    assert "Bob Town could not be notified" in await story.mail_to("alice", "Not notified: Mia")
    assert await story.states(lead["id"]) == {"bob": "notified", "carol": "notified"}
    offers = (await story.get("alice", f"/leads/{lead['id']}/offers?$limit=100"))["data"]
    assert {each["user"]["first_name"]: each["reason"] for each in offers} == {
        "Bob": "could not be told",
        "Carol": None,
    }
    history = await story.get("alice", f"/leads/{lead['id']}/history")
    assert "alerts failed" in [each["kind"] for each in (history["data"] if isinstance(history, dict) else history)]
    assert (await story.ledger())["on_offer"] == 1
    assert (await story.claim("bob", lead["id"])).status_code == 200


@pytest.fixture
async def with_phone(unstarted: Story, push_service: PushServer) -> AsyncIterator[tuple[Story, FakeBrowser]]:
    """Bob's phone shows alerts."""
    unstarted.settings = replace(unstarted.settings, push_services=push_service.url)
    async with unstarted.service():
        await unstarted.set_up()
        phone = push_service.browser()
        await unstarted.post("bob", "/push-subscriptions", endpoint=phone.endpoint, keys=phone.keys)
        yield unstarted, phone


async def test_from_the_phone_to_yours_and_for_the_other_who_was_faster(
    with_phone: tuple[Story, FakeBrowser],
) -> None:
    story, phone = with_phone
    await two_in_a_row(story)
    lead = await story.inquire()
    await settled(story)
    offer = (await story.get("bob", "/lead-offers"))["data"][0]
    [shown] = phone.shown
    assert (shown["title"], shown["path"]) == ("New lead: Mia", f"offers/{offer['id']}")
    await story.pass_time(minutes=5)
    await story.mail_to("carol", "New lead: Mia")
    await story.claim("carol", lead["id"])
    await settled(story)
    assert phone.titles == ["New lead: Mia", "Taken: Mia"]
    assert {each["tag"] for each in phone.shown} == {f"lead-{lead['id']}"}
    messages = (await story.get("alice", "/messages?channel=push"))["data"]
    assert [(each["kind"], each["state"], each["address"]) for each in messages] == [
        ("offer", "sent", "browsers"), ("claimed", "sent", "browsers")
    ]  # fmt: skip
