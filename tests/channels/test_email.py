"""Mails go over a few connections that stay open; one that the server has ended is made again, and no mail is lost."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes

import pytest

from leadroutes.channels.email import MOST_CONNECTIONS, EmailChannel, make_mail, open_email
from leadroutes.channels.envelope import DeliveryError, Envelope
from leadroutes.settings import Settings
from tests.support.mailbox import Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
async def email(mailbox: Mailbox) -> AsyncIterator[EmailChannel]:
    email = open_email(Settings(smtp_url=mailbox.url))
    assert email is not None
    yield email
    await email.close()


def envelope(number: int = 0) -> Envelope:
    return Envelope(address="bob@example.com", subject=f"New lead {number}", text_body="Who claims it first has it.")


async def test_a_crowd_of_mails_shares_a_few_connections(email: EmailChannel, mailbox: Mailbox) -> None:
    await asyncio.gather(*(email.send(envelope(number)) for number in range(3 * MOST_CONNECTIONS)))
    assert sorted(str(mail["Subject"]) for mail in mailbox.mails) == sorted(
        f"New lead {number}" for number in range(3 * MOST_CONNECTIONS)
    )
    assert len(mailbox.connections) <= MOST_CONNECTIONS


async def test_the_next_mail_goes_over_the_same_connection(email: EmailChannel, mailbox: Mailbox) -> None:
    for number in range(3):
        await email.send(envelope(number))
    assert [str(mail["Subject"]) for mail in mailbox.mails] == ["New lead 0", "New lead 1", "New lead 2"]
    assert len(mailbox.connections) == 1


async def test_a_connection_that_the_server_has_ended_is_made_again(email: EmailChannel, mailbox: Mailbox) -> None:
    await asyncio.gather(*(email.send(envelope(number)) for number in range(5)))
    mailbox.hang_up()
    await email.send(envelope(5))
    assert len(mailbox.mails) == 6


async def test_after_a_refusal_the_next_mail_is_taken(email: EmailChannel, mailbox: Mailbox) -> None:
    mailbox.answers = ["550 No such user here"]
    with pytest.raises(DeliveryError, match="550 No such user here") as refused:
        await email.send(envelope())
    assert refused.value.is_permanent
    await email.send(envelope(1))
    assert [str(mail["Subject"]) for mail in mailbox.mails] == ["New lead 1"]


def test_every_mail_says_that_a_program_sent_it_and_wants_no_automatic_answer() -> None:
    mail = message_from_bytes(make_mail(envelope(), "leads@example.com"))
    assert mail.get_all("Auto-Submitted") == ["auto-generated"]
    assert mail.get_all("X-Auto-Response-Suppress") == ["All"]
