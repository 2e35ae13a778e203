"""A mail server that refuses an address for good is believed: nothing more is tried there, and the contact says so."""

from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from leadroutes.retry import RetryLater
from leadroutes.store.postgres import Database
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender

DEAD = "the e-mail address takes no mail: an earlier one was refused for good"


class Choosy(Mailbox):
    """One that may refuse recipients: what it says to each, by its address, once each and in order."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: dict[str, list[str]] = {}

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if said := self.refusals.get(address):
            return said.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
async def mailbox() -> Any:
    async with Choosy() as mailbox:
        yield mailbox


async def drip(brokerage: Brokerage, email: str, *delays: int) -> int:
    """A campaign with mails after so many seconds, which has begun for a contact with this address."""
    town = brokerage.town
    campaign_id = await town.campaign("alice", "Drip")
    template_id = await town.template("alice")
    for delay in delays:
        await town.action("alice", campaign_id, template_id=template_id, delay_by_seconds=delay)
    contact_id = await town.contact("alice", email=email)
    await brokerage.engine.start_campaign(brokerage.owner_id, campaign_id, contact_id, brokerage.owner_id)
    return contact_id


async def deliver_due(brokerage: Brokerage, sender: Sender, **span: float) -> None:
    await brokerage.town.database.move_clock(timedelta(**span))
    await brokerage.engine.run_due()
    for row in await brokerage.town.database.fetch("SELECT id FROM messages WHERE state = 'queued' ORDER BY id"):
        await sender.deliver(row["id"])


async def outcomes(database: Database) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in await database.fetch("SELECT state, reason FROM messages ORDER BY id")]


@pytest.mark.parametrize(
    "said", ["550 5.4.4 no such domain", "550 5.1.1 unknown", "550 5.1.10 none", "550 5.2.1 disabled", "554 5.1.2 gone"]
)
async def test_an_address_that_does_not_exist_is_tried_once_and_shown(
    brokerage: Brokerage, sender: Sender, mailbox: Choosy, database: Database, said: str
) -> None:
    contact_id = await drip(brokerage, "Eve@mail.ocm", 0, 20)
    mailbox.refusals["Eve@mail.ocm"] = [said] * 2
    await deliver_due(brokerage, sender)
    await deliver_due(brokerage, sender, seconds=30)

    assert await outcomes(database) == [("failed", f"the mail server said {said}"), ("suppressed", DEAD)]
    assert len(mailbox.refusals["Eve@mail.ocm"]) == 1, "it is not tried again"
    row = await database.fetchrow(
        "SELECT s.reason, m.contact_id FROM suppression_of($1, 'eve@MAIL.ocm') s"
        " JOIN messages m ON m.owner_id = $1 AND m.id = s.source_message_id",
        brokerage.owner_id,
    )
    assert row is not None
    assert tuple(row) == ("bounced", contact_id)


@pytest.mark.parametrize(
    "said", ["552 5.2.2 mailbox full", "550 no such user", "550 5.7.1 blocked", "550 5.1.15 other", "550 5.4.45 other"]
)
async def test_what_does_not_concern_the_address_ends_this_mail_only(
    brokerage: Brokerage, sender: Sender, mailbox: Choosy, database: Database, said: str
) -> None:
    await drip(brokerage, "full@example.com", 0, 20)
    mailbox.refusals["full@example.com"] = [said]
    with pytest.raises(RetryLater) if "5.7" in said else _nothing():
        await deliver_due(brokerage, sender)
    assert await database.fetchval("SELECT count(*) FROM suppressions") == 0
    await deliver_due(brokerage, sender, seconds=30)

    assert (await outcomes(database))[-1] == ("sent", None)


async def test_greylisting_is_not_a_refusal(
    brokerage: Brokerage, sender: Sender, mailbox: Choosy, database: Database
) -> None:
    await drip(brokerage, "grey@example.com", 0)
    mailbox.refusals["grey@example.com"] = ["450 4.7.1 later", "450 4.1.1 later"]
    for _ in range(2):
        with pytest.raises(RetryLater):
            await deliver_due(brokerage, sender)
    await deliver_due(brokerage, sender)

    assert await outcomes(database) == [("sent", None)]
    assert await database.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_a_dead_address_of_an_agent_suppresses_no_alert(
    brokerage: Brokerage, sender: Sender, mailbox: Choosy, database: Database
) -> None:
    """It is in the outbox and is found by the doctor; the next lead is notified of all the same."""
    mailbox.refusals["bob@example.com"] = ["550 5.1.1 unknown"]
    await brokerage.ask(mls="1")
    await sender.deliver(await sender.the_only())
    await brokerage.ask(email="noa@example.com", mls="2")
    await sender.deliver(await sender.the_only("state = 'queued'"))

    assert await outcomes(database) == [("failed", "the mail server said 550 5.1.1 unknown"), ("sent", None)]
    assert await database.fetchval("SELECT count(*) FROM suppressions") == 0


async def test_what_the_person_has_asked_for_counts_before_what_came_back(
    brokerage: Brokerage, sender: Sender, mailbox: Choosy, database: Database
) -> None:
    await drip(brokerage, "eve@mail.ocm", 0, 20)
    mailbox.refusals["eve@mail.ocm"] = ["550 5.1.1 unknown"]
    await deliver_due(brokerage, sender)
    await database.execute(
        "INSERT INTO suppressions (owner_id, channel, value, digest, reason, at)"
        " SELECT owner_id, channel, value, digest, 'unsubscribed', at + interval '1 hour' FROM suppressions"
    )
    await deliver_due(brokerage, sender, seconds=30)

    assert (await outcomes(database))[-1] == ("suppressed", "the contact has unsubscribed from e-mails")


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()
