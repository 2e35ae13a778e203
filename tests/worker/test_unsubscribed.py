"""Consent belongs to the address: no contact that has it gets a mail of any campaign, and each step says why."""

from datetime import timedelta
from typing import Any

import pytest

from leadroutes.domain.unsubscribe import UnsubscribeLink
from leadroutes.security.secret_key import load_secret_key
from leadroutes.security.unsubscribe_token import read_unsubscribe_token
from leadroutes.settings import Settings
from leadroutes.store.messages import DeliveryLog, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.store.suppressions import unsubscribe
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender

REASON = "the contact has unsubscribed from e-mails"


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


async def deliver_due(brokerage: Brokerage, sender: Sender, **span: float) -> None:
    """Time passes, and what is due to contacts by e-mail is delivered."""
    await brokerage.town.database.move_clock(timedelta(**span))
    await brokerage.engine.run_due()
    open_ = "SELECT id FROM messages WHERE kind = 'campaign' AND channel = 'email' AND state = 'queued' ORDER BY id"
    for row in await brokerage.town.database.fetch(open_):
        await sender.deliver(row["id"])


async def outcomes(database: Database, contact_id: int) -> list[tuple[Any, ...]]:
    """What came of the mails to this contact."""
    rows = await database.fetch(
        "SELECT state, reason FROM messages WHERE contact_id = $1 AND channel = 'email' ORDER BY id", contact_id
    )
    return [tuple(row) for row in rows]


async def press(database: Database, mailbox: Mailbox, settings: Settings) -> None:
    """The link in the first mail to a contact is used."""
    mail = next(mail for mail in mailbox.mails if mail["List-Unsubscribe"])
    token = mail["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    link = read_unsubscribe_token(load_secret_key(settings), token)
    assert link is not None
    await unsubscribe(database, link)


async def test_each_later_step_says_why_when_it_falls_due_and_texts_go_on(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, settings: Settings, contact: int
) -> None:
    await deliver_due(brokerage, sender)
    await press(database, mailbox, settings)
    await press(database, mailbox, settings)
    waiting = await database.fetchval("SELECT array_agg(type ORDER BY id) FROM contact_communications WHERE is_active")
    assert waiting == ["Text Contact", "Email Contact"]
    await deliver_due(brokerage, sender, minutes=2)

    assert await outcomes(database, contact) == [("sent", None), ("suppressed", REASON)]
    assert await database.fetchval("SELECT count(*) FROM messages WHERE channel = 'text' AND state = 'queued'") == 1
    rows = await database.fetch("SELECT reason, source_message_id IS NOT NULL AS source FROM suppressions")
    assert [tuple(row) for row in rows] == [("unsubscribed", True)]


@pytest.mark.parametrize("email", ["mia@example.com", "MIA@Example.com", " mia@example.com "])
async def test_another_contact_with_the_address_is_not_written_to_either(
    brokerage: Brokerage,
    sender: Sender,
    mailbox: Mailbox,
    database: Database,
    settings: Settings,
    contact: int,
    email: str,
) -> None:
    await deliver_due(brokerage, sender)
    await press(database, mailbox, settings)
    other = await brokerage.town.contact("alice", email=email)
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    await brokerage.engine.start_campaign(brokerage.owner_id, campaign_id, other, brokerage.owner_id)
    await deliver_due(brokerage, sender)

    assert await outcomes(database, other) == [("suppressed", REASON)]


async def test_a_contact_that_gets_the_address_is_not_written_to_and_one_that_leaves_it_is(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, settings: Settings, contact: int
) -> None:
    await deliver_due(brokerage, sender)
    await press(database, mailbox, settings)
    await database.execute("UPDATE contacts SET email = 'new@example.com' WHERE id = $1", contact)
    other = await brokerage.town.contact("alice", email="other@example.com")
    campaign_id = await database.fetchval("SELECT min(id) FROM campaigns")
    await brokerage.engine.start_campaign(brokerage.owner_id, campaign_id, other, brokerage.owner_id)
    await database.execute("UPDATE contacts SET email = 'mia@example.com' WHERE id = $1", other)
    await deliver_due(brokerage, sender, minutes=2)

    assert await outcomes(database, contact) == [("sent", None), ("sent", None)]
    assert await outcomes(database, other) == [("suppressed", REASON)] * 2


async def test_the_same_address_in_another_account_is_another_matter(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, settings: Settings, contact: int
) -> None:
    town = brokerage.town
    await deliver_due(brokerage, sender)
    await press(database, mailbox, settings)
    campaign_id = await town.campaign("dave", "Dave's")
    await town.action("dave", campaign_id, template_id=await town.template("dave"))
    other = await town.contact("dave", email="mia@example.com")
    await brokerage.engine.start_campaign(town.users["dave"], campaign_id, other, town.users["dave"])
    await deliver_due(brokerage, sender)

    assert await outcomes(database, other) == [("sent", None)]


async def test_alerts_to_an_agent_with_the_address_are_not_bound_by_it(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, settings: Settings, contact: int
) -> None:
    await deliver_due(brokerage, sender)
    await press(database, mailbox, settings)
    await database.execute("UPDATE users SET email = 'mia@example.com' WHERE username = 'bob'")
    alert = await sender.the_only("kind = 'offer'")
    await sender.deliver(alert)

    assert await sender.outcome(alert) == ("sent", None)


async def test_who_unsubscribes_while_a_mail_waits_for_another_try_does_not_get_it(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, contact: int
) -> None:
    """Also one that has been begun: it is looked at once more before its words leave."""
    await brokerage.engine.run_due()
    message_id = await sender.the_only("kind = 'campaign'")
    sending, key = DeliveryLog(database), MessageKey(brokerage.owner_id, message_id)
    begun = await sending.begin(key)
    assert begun is not None
    assert begun.contact is not None
    await unsubscribe(database, UnsubscribeLink(brokerage.owner_id, contact, message_id, begun.contact.address_digest))
    status = await sending.recheck(key)

    assert begun.status.contact_suppressed_because is None
    assert status is not None
    assert status.contact_suppressed_because == REASON
    await database.execute("UPDATE messages SET state = 'queued'")
    await sender.deliver(message_id)
    assert await sender.outcome(message_id) == ("suppressed", REASON)
    assert mailbox.mails == []


async def test_a_link_of_an_earlier_version_names_the_contact_and_counts_for_the_addresses(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, contact: int
) -> None:
    await deliver_due(brokerage, sender)
    await database.execute("UPDATE contacts SET email = 'Mia@new.example' WHERE id = $1", contact)
    await unsubscribe(database, UnsubscribeLink(brokerage.owner_id, contact))

    values = await database.fetchval("SELECT array_agg(value ORDER BY value) FROM suppressions")
    assert values == ["mia@example.com", "mia@new.example"]


async def test_a_step_that_is_set_going_again_is_suppressed_all_the_same(
    brokerage: Brokerage, sender: Sender, mailbox: Mailbox, database: Database, settings: Settings, contact: int
) -> None:
    await deliver_due(brokerage, sender)
    await press(database, mailbox, settings)
    await deliver_due(brokerage, sender, minutes=2)
    step = await database.fetchval("SELECT max(id) FROM contact_communications")
    await brokerage.engine.set_communication_active(brokerage.owner_id, step, True, brokerage.owner_id)
    await deliver_due(brokerage, sender)
    assert await outcomes(database, contact) == [("sent", None), ("suppressed", REASON)]

    await database.execute("UPDATE suppressions SET ended_at = now()")
    await brokerage.engine.set_communication_active(brokerage.owner_id, step, True, brokerage.owner_id)
    await deliver_due(brokerage, sender)
    assert await outcomes(database, contact) == [("sent", None), ("sent", None)]
