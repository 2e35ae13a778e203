"""Mails of campaigns that have waited in the queue are counted once more when they leave."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from leadroutes.channels import open_channels
from leadroutes.channels.envelope import Envelope, StillWanted, always_wanted
from leadroutes.domain.mail_pace import MINUTES
from leadroutes.domain.windows import SendingRules
from leadroutes.engine.engine import Engine
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.settings.sending import sending_rules
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender

PER_HOUR = 3
ITS_TURN = f"waits: its turn: {PER_HOUR} mails in an hour"


class Office:
    """Alice's campaign of one mail to each contact, and a mail server. Hours of real time pass by moving the counts."""

    def __init__(self, brokerage: Brokerage, settings: Settings, mailbox: Mailbox, sender: Sender) -> None:
        self.brokerage, self.settings, self.mailbox, self.sender = brokerage, settings, mailbox, sender
        self.database = brokerage.town.database
        self.made = 0

    async def queue(self, contacts: int) -> list[int]:
        """Mails to so many contacts fall due; answers the ids of those that are queued."""
        town, owner_id = self.brokerage.town, self.brokerage.owner_id
        campaign_id = await town.campaign("alice", f"Drip {self.made}")
        await town.action("alice", campaign_id, template_id=await town.template("alice"))
        for _ in range(contacts):
            self.made += 1
            contact_id = await town.contact("alice", email=f"mia{self.made}@example.com")
            await self.brokerage.engine.start_campaign(owner_id, campaign_id, contact_id, owner_id)
        before = await self.database.fetchval("SELECT coalesce(max(id), 0) FROM messages")
        await Engine(self.database, rules=sending_rules(self.settings)).run_due()
        rows = await self.database.fetch("SELECT id FROM messages WHERE id > $1 ORDER BY id", before)
        return [row["id"] for row in rows]

    async def queue_over_hours(self, hours: int) -> list[int]:
        found = []
        for _ in range(hours):
            found += await self.queue(PER_HOUR)
            await self.pass_hour()
        assert len(found) == hours * PER_HOUR
        return found

    async def pass_hour(self) -> None:
        """Real time does not pass: what has been counted becomes older, and turns come nearer, on both clocks."""
        older = (
            "(SELECT coalesce(jsonb_agg(jsonb_build_array((x ->> 0)::bigint - $1, x -> 1)), '[]')"
            " FROM jsonb_array_elements({}) x)"
        )
        await self.database.execute(
            f"UPDATE mail_paces SET sent = {older.format('sent')}, left_sent = {older.format('left_sent')},"
            " last_turn = last_turn - $1 * interval '1 minute',"
            " left_last_turn = left_last_turn - $1 * interval '1 minute'", MINUTES,
        )  # fmt: skip
        await self.database.move_clock(timedelta(minutes=MINUTES))

    async def deliver(self, *message_ids: int) -> list[str]:
        """All at once, as several workers may; answers their states."""

        async def one(message_id: int) -> None:
            with contextlib.suppress(RetryLater):
                await self.sender.deliver(message_id)

        await asyncio.gather(*map(one, message_ids))
        return [(await self.message(each))["state"] for each in message_ids]

    async def message(self, message_id: int) -> asyncpg.Record:
        row = await self.database.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)
        assert row is not None
        return row

    async def count_left(self) -> int:
        left: int = await self.database.fetchval(
            "SELECT coalesce(sum((x ->> 1)::int), 0) FROM mail_paces, jsonb_array_elements(left_sent) x"
        )
        return left


class Broken:
    """A channel that breaks in the middle."""

    async def send(self, envelope: Envelope, is_still_wanted: StillWanted = always_wanted) -> None:
        raise RuntimeError(f"on the way to {envelope.address}")

    async def close(self) -> None:
        """There is nothing to close."""


@asynccontextmanager
async def delivering(office: Office, **changed: Any) -> AsyncIterator[Sender]:
    """Another worker, with other settings."""
    settings = replace(office.settings, **changed)
    channels = open_channels(settings)
    yield Sender(office.database, MessageDelivery(office.database, channels, settings))
    for channel in channels.values():
        if channel is not None:
            await channel.close()


@pytest.fixture
async def office(
    brokerage: Brokerage, settings: Settings, mailbox: Mailbox, database: Database
) -> AsyncIterator[Office]:
    limited = replace(settings, mails_per_hour=PER_HOUR)
    channels = open_channels(limited)
    sender = Sender(database, MessageDelivery(database, channels, limited))
    yield Office(brokerage, limited, mailbox, sender)
    for channel in channels.values():
        if channel is not None:
            await channel.close()


async def test_mails_that_have_waited_for_their_channel_are_no_more_in_an_hour_than_others(office: Office) -> None:
    waiting = await office.queue_over_hours(3)
    hours = []
    for _ in range(3):
        states = await office.deliver(*waiting)
        hours.append(states.count("sent"))
        waiting = [each for each, state in zip(waiting, states, strict=True) if state == "queued"]
        reasons = {(await office.message(each))["reason"] for each in waiting}
        assert reasons <= {ITS_TURN}
        assert await office.database.fetchval("SELECT count(*) FROM messages WHERE attempts > 1") == 0
        await office.pass_hour()
    assert hours == [PER_HOUR] * 3
    assert len(office.mailbox.mails) == 3 * PER_HOUR


async def test_several_workers_count_the_same_mails(office: Office) -> None:
    waiting = await office.queue_over_hours(2)
    async with delivering(office) as other:
        await asyncio.gather(
            *(
                worker.deliver(each)
                for worker, its in ((office.sender, waiting[::2]), (other, waiting[1::2]))
                for each in its
            )
        )
    assert len(office.mailbox.mails) == PER_HOUR


async def test_a_mail_that_waits_for_its_turn_comes_back_at_that_moment(office: Office) -> None:
    waiting = await office.queue_over_hours(2)
    await office.deliver(*waiting)
    [*held] = await office.database.fetch("SELECT id, leaves_at FROM messages WHERE state = 'queued' ORDER BY id")
    assert len(held) == PER_HOUR
    spans = [row["leaves_at"] - office.database.clock.now() for row in held]
    assert all(timedelta(minutes=MINUTES - 1) <= span <= timedelta(minutes=MINUTES) for span in spans)
    await office.database.execute("DELETE FROM pgqueuer")
    await office.pass_hour()
    await office.brokerage.engine.run_due()
    assert await office.database.fetchval("SELECT count(*) FROM pgqueuer") == PER_HOUR


async def test_mails_of_the_same_turn_come_back_in_the_order_in_which_they_were_queued(office: Office) -> None:
    waiting = await office.queue_over_hours(2)
    await office.deliver(*waiting)
    held = await office.database.fetch(
        "SELECT id, max(leaves_at) OVER () AS turn FROM messages WHERE state = 'queued' ORDER BY id DESC"
    )
    await office.database.execute("UPDATE messages SET leaves_at = NULL")
    for row in held:  # so that the table has the last one first
        await office.database.execute("UPDATE messages SET leaves_at = $2 WHERE id = $1", row["id"], row["turn"])
    await office.database.execute("DELETE FROM pgqueuer")
    await office.pass_hour()
    await office.brokerage.engine.run_due()
    jobs = await office.database.fetch(
        "SELECT q.id, convert_from(q.payload, 'UTF8')::json ->> 'id' AS message_id FROM pgqueuer q ORDER BY q.id"
    )
    assert [int(job["message_id"]) for job in jobs] == sorted(row["id"] for row in held)


async def test_who_comes_later_does_not_go_before_those_that_wait(office: Office) -> None:
    first = await office.queue_over_hours(2)
    await office.deliver(*first)
    await office.database.execute("UPDATE mail_paces SET left_sent = '[]'")  # room, before the turns have come
    [late] = await office.queue(1)

    assert await office.deliver(late) == ["queued"]
    assert (await office.deliver(*first)).count("sent") == 2 * PER_HOUR


async def test_a_mail_that_does_not_leave_takes_no_turn(office: Office) -> None:
    """A server that is away is tried many times in an hour."""
    waiting = await office.queue(PER_HOUR)
    async with delivering(office, smtp_url="smtp://127.0.0.1:1") as away:
        for each in waiting:
            with pytest.raises(RetryLater):
                await away.deliver(each)
    assert await office.count_left() == 0
    assert await office.deliver(*waiting) == ["sent"] * PER_HOUR
    assert await office.count_left() == PER_HOUR


async def test_a_mail_of_which_no_one_knows_whether_it_arrived_counts(office: Office) -> None:
    [first, *others] = await office.queue_over_hours(2)
    breaking = Sender(office.database, MessageDelivery(office.database, {"email": Broken()}, office.settings))
    await breaking.deliver(first)
    assert (await office.message(first))["state"] == "unknown"
    assert (await office.deliver(*others)).count("sent") == PER_HOUR - 1


async def test_another_limit_counts_for_what_waits_in_the_queue(office: Office) -> None:
    waiting = await office.queue_over_hours(3)
    await office.deliver(*waiting)
    await Engine(office.database, rules=SendingRules(mails_per_hour=100)).run_due()
    async with delivering(office, mails_per_hour=100) as other:
        for each in waiting:
            await other.deliver(each)
    assert len(office.mailbox.mails) == 3 * PER_HOUR


async def test_alerts_have_no_limit(office: Office) -> None:
    await office.deliver(*await office.queue(PER_HOUR))
    await office.brokerage.ask(email="ann@example.com")
    alert = await office.database.fetchval("SELECT max(id) FROM messages WHERE kind = 'offer'")
    assert await office.deliver(alert) == ["sent"]
