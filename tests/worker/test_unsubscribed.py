"""Who has unsubscribed gets no mail of any campaign, neither of one that runs nor of a later one."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.store.outbox import unsubscribe_contact
from leadroutes.store.postgres import Database
from tests.engine.conftest import Brokerage
from tests.mailbox import Mailbox
from tests.worker.conftest import Post


@pytest.fixture
async def contact(brokerage: Brokerage, database: Database) -> int:
    """Mia, for whom a campaign has just begun: one mail at once, one a minute later, a text between the two."""
    town = brokerage.town
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    template_id = await town.template("alice", subject="Hello", body="How is the hunt?")
    for type_, seconds in (("Email Contact", 0), ("Text Contact", 30), ("Email Contact", 60)):
        await town.action(
            "alice", campaign_id, template_id=template_id, type=type_, timing_type="Delay by Minutes",
            delay_by_seconds=seconds,
        )  # fmt: skip
    await brokerage.ask(address="9 Elm St", phone="303-555-0199")
    contact_id: int = await database.fetchval("SELECT contact_id FROM leads")
    return contact_id


async def steps(database: Database) -> list[tuple[Any, ...]]:
    rows = await database.fetch("SELECT type, is_active FROM contact_communications ORDER BY id")
    return [tuple(row) for row in rows]


async def test_the_mails_that_wait_are_done_and_the_texts_go_on(
    brokerage: Brokerage, database: Database, contact: int
) -> None:
    await unsubscribe_contact(database, brokerage.owner_id, contact)
    await unsubscribe_contact(database, brokerage.owner_id, contact)

    assert await steps(database) == [("Email Contact", False), ("Text Contact", True), ("Email Contact", False)]


async def test_a_mail_that_is_set_going_again_is_suppressed_all_the_same(
    brokerage: Brokerage, post: Post, mailbox: Mailbox, database: Database, contact: int
) -> None:
    await unsubscribe_contact(database, brokerage.owner_id, contact)
    step = await database.fetchval("SELECT max(id) FROM contact_communications")
    await brokerage.engine.set_communication_active(brokerage.owner_id, step, True, brokerage.owner_id)
    await database.move_clock(timedelta(minutes=2))
    await brokerage.engine.do_due()

    message_id = await post.the_only("kind = 'campaign' AND channel = 'email'")
    await post.deliver(message_id)

    assert await post.outcome(message_id) == ("suppressed", "the contact has unsubscribed from e-mails")
    assert [mail["To"] for mail in mailbox.mails if mail["To"] == "mia@example.com"] == []
    assert (await steps(database))[-1] == ("Email Contact", False)
