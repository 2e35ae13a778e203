"""Alice's brokerage with a provider of texts: Bob is alerted by text, and texts of campaigns go to contacts."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from leadroutes import api
from leadroutes.channels import open_channels
from leadroutes.channels.envelope import Channel
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from leadroutes.worker.questions import Questions
from tests.support.brokerage import Brokerage
from tests.support.provider import Provider
from tests.support.sender import Sender

BOB, MIA = "+13035550142", "+13035550199"  # both in Denver
MORNING = datetime.fromisoformat("2026-11-30T17:00:00+00:00")  # 10:00 in Denver


@dataclass
class Texting:
    """`deliver` sends one message; the provider's requests go to `application`, as they would to a service."""

    brokerage: Brokerage
    provider: Provider
    sender: Sender
    questions: Questions
    application: Any
    settings: Settings
    opened: list[Channel] = field(default_factory=list)

    def use(self, channels: Mapping[str, Channel | None], settings: Settings | None = None) -> None:
        """Deliver over these channels from now on; they are closed at the end."""
        self.opened += [channel for channel in channels.values() if channel is not None]
        self.sender.delivery = MessageDelivery(self.database, channels, settings or self.settings)

    @property
    def database(self) -> Database:
        return self.brokerage.town.database

    async def alert(self, **fields: Any) -> int:
        """A lead comes in; answers the id of the text to Bob about it."""
        await self.brokerage.ask(**{"type": "Buyer", "city": "Denver", "price": "450000", **fields})
        return await self.latest("kind = 'offer' AND channel = 'text'")

    async def campaign_text(self, body: str = "Hi {{first_name}}", *, phone: str | None = MIA, **contact: Any) -> int:
        """A campaign has a text for a contact; answers its id."""
        town = self.brokerage.town
        count = await self.database.fetchval("SELECT count(*) FROM campaigns")
        campaign_id = await town.campaign("alice", f"Drip {count}")
        template_id = await town.template("alice", subject=None, body=body, template_type="Text")
        await town.action("alice", campaign_id, type="Text Contact", template_id=template_id)
        contact_id = await town.contact("alice", mobile_phone=phone, **contact)
        engine = self.brokerage.engine
        await engine.start_campaign(self.brokerage.owner_id, campaign_id, contact_id, self.brokerage.owner_id)
        await engine.run_due()
        return await self.latest("kind = 'campaign'")

    async def latest(self, where: str) -> int:
        message_id: int = await self.database.fetchval(f"SELECT max(id) FROM messages WHERE {where}")
        return message_id

    async def deliver(self, message_id: int) -> asyncpg.Record:
        """One attempt; answers the message after it."""
        with contextlib.suppress(RetryLater):
            await self.sender.deliver(message_id)
        return await self.message(message_id)

    async def message(self, message_id: int) -> asyncpg.Record:
        row = await self.database.fetchrow("SELECT * FROM messages WHERE id = $1", message_id)
        assert row is not None
        return row

    async def move_to(self, moment: datetime) -> None:
        await self.database.move_clock(moment - self.database.clock.now())

    async def pass_time(self, **span: float) -> None:
        """The clock moves, and what is due is done, jobs included."""
        await self.database.move_clock(timedelta(**span))
        await self.brokerage.engine.run_due()
        for row in await self.database.fetch("DELETE FROM pgqueuer WHERE entrypoint = 'ask' RETURNING payload"):
            await self.questions.ask(row["payload"], 1)

    @property
    def only_text(self) -> dict[str, Any]:
        [text] = self.provider.texts.values()
        return text


@pytest.fixture
def texting_settings(provider: Provider, tmp_path: Path) -> Settings:
    return Settings(public_url="https://leads.example", data=tmp_path, **provider.settings)


@pytest.fixture
async def texting(
    brokerage: Brokerage, provider: Provider, texting_settings: Settings, database: Database
) -> AsyncIterator[Texting]:
    town, settings = brokerage.town, texting_settings
    await database.begin_clock(MORNING)
    await database.execute("UPDATE users SET phone = $2 WHERE id = $1", town.users["bob"], BOB)
    await database.execute(
        "UPDATE team_member_distribution_options SET has_text_alert = true, has_email_alert = false"
        " WHERE user_id = $1", town.users["bob"],
    )  # fmt: skip
    channels = open_channels(settings)
    application = api.application(database, brokerage.engine, brokerage.arrivals, settings)
    provider.serves(application, settings)
    texting = Texting(
        brokerage=brokerage,
        provider=provider,
        sender=Sender(database, MessageDelivery(database, channels, settings)),
        questions=Questions(database, channels["text"]),
        application=application,
        settings=settings,
    )
    texting.use(channels)
    yield texting
    for channel in texting.opened:
        await channel.close()
