"""Alice's brokerage that sends mail through a relay, and takes in what comes back."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from leadroutes.channels import open_channels
from leadroutes.ingest.arrivals import Arrivals
from leadroutes.ingest.smtp_server import serving_mail
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.reports import returned
from tests.support.sender import Sender

DOMAIN = "leads.example.com"


class Relay(Mailbox):
    """A mail server that remembers the return path of each mail, and its bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.return_paths: list[str] = []
        self.options: list[list[str]] = []
        self.contents: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            assert envelope.mail_from is not None
            self.return_paths.append(envelope.mail_from)
            self.options.append(envelope.mail_options)
            self.contents.append(envelope.content)
        return answer


@dataclass
class Post:
    """Alice's brokerage that sends mail through a relay, and takes in what comes back."""

    brokerage: Brokerage
    sender: Sender
    relay: Relay
    settings: Settings
    arrivals: Arrivals
    door: tuple[str, int]

    @property
    def database(self) -> Database:
        return self.brokerage.town.database

    async def deliver(self) -> None:
        await self.brokerage.engine.run_due()
        for row in await self.database.fetch("SELECT id FROM messages WHERE state = 'queued' ORDER BY id"):
            await self.sender.deliver(row["id"])

    async def drip(self, email: str = "eve@mailhost.example", *, delays: tuple[int, ...] = (0, 60)) -> int:
        """A campaign for a contact with this address, of which the first mail has been sent."""
        town = self.brokerage.town
        campaign_id = await town.campaign("alice", f"Drip {email}")
        template_id = await town.template("alice")
        for delay in delays:
            await town.action("alice", campaign_id, template_id=template_id, delay_by_seconds=delay)
        await town.action("alice", campaign_id, type="Agent Task - Call Reminder", delay_by_seconds=600)
        contact_id = await town.contact("alice", email=email, first_name="Eve", last_name="Karr")
        await self.brokerage.engine.start_campaign(
            self.brokerage.owner_id, campaign_id, contact_id, self.brokerage.owner_id
        )
        await self.deliver()
        return contact_id

    async def later(self) -> None:
        await self.database.move_clock(timedelta(minutes=2))
        await self.deliver()

    @property
    def bounce(self) -> str:
        """The return path of the last mail."""
        return self.relay.return_paths[-1]

    @property
    def reply(self) -> str:
        """Where answers to the last mail go."""
        return re.sub(r".*<|>", "", str(self.relay.mails[-1]["Reply-To"]))

    async def bring(self, raw: bytes, address: str, sender: str = "") -> str:
        """Brings a mail to the door, and returns the last answer."""
        async with aiosmtplib.SMTP(hostname=self.door[0], port=self.door[1], start_tls=False) as smtp:
            try:
                await smtp.ehlo()
                await smtp.mail(sender)
                await smtp.rcpt(address)
                response = await smtp.data(raw)
            except aiosmtplib.SMTPResponseException as error:
                return f"{error.code} {error.message}"
            return f"{response.code} {response.message}"

    async def report(self, name: str) -> str:
        return await self.bring(returned(name, self.bounce, self.reply), self.bounce)

    async def answer(self, words: str, sender: str = "eve@mailhost.example", more: str = "") -> str:
        raw = f"From: Eve Karr <{sender}>\r\nSubject: Re: Hi\r\n{more}\r\n{words}\r\n".encode()
        return await self.bring(raw, self.reply, sender)

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.database.fetch(sql, *values)]

    async def messages(self) -> list[tuple[Any, ...]]:
        return await self.rows("SELECT state, reason FROM messages ORDER BY id")

    async def suppressions(self) -> list[tuple[Any, ...]]:
        return await self.rows("SELECT value, reason, source_message_id FROM suppressions ORDER BY id")

    async def arrived(self) -> list[tuple[Any, ...]]:
        return await self.rows("SELECT status, reason, lead_id FROM arrivals ORDER BY id")


@pytest.fixture
async def post(brokerage: Brokerage, tmp_path: Path) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(Relay())
        settings = Settings(
            smtp_url=relay.url, mail_from="leads@brokerage.example", data=tmp_path, secret="of the tests, long",
            public_url="https://leads.example", mail_domain=DOMAIN, mail_listen="127.0.0.1:0",
        )  # fmt: skip
        arrivals = Arrivals(brokerage.engine, settings)
        door = await stack.enter_async_context(serving_mail(settings, arrivals))
        assert door is not None
        channels = open_channels(settings)
        sender = Sender(brokerage.town.database, MessageDelivery(brokerage.town.database, channels, settings))
        yield Post(brokerage, sender, relay, settings, arrivals, door)
        for channel in channels.values():
            if channel is not None:
                await channel.close()
    await arrivals.close()
