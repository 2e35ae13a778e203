"""Alice's brokerage with a worker and a mail server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadroutes.channels import open_channels
from leadroutes.settings import Settings
from leadroutes.store.messages import MessageKey
from leadroutes.store.postgres import Database
from leadroutes.worker.delivery import MessageDelivery
from leadroutes.worker.worker import Worker
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def settings(mailbox: Mailbox, tmp_path: Path) -> Settings:
    return Settings(
        smtp_url=mailbox.url, mail_from="leads@brokerage.example", data=tmp_path, public_url="https://leads.example"
    )


@contextlib.asynccontextmanager
async def worker_for(brokerage: Brokerage, settings: Settings) -> AsyncIterator[Worker]:
    """One that runs in the background, woken by the database as in life."""
    worker = Worker(brokerage.town.database, brokerage.engine, settings)
    brokerage.town.database.start_listening()
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await asyncio.wait_for(task, 10)


@pytest.fixture
async def worker(brokerage: Brokerage, settings: Settings) -> AsyncIterator[Worker]:
    async with worker_for(brokerage, settings) as worker:
        yield worker


@dataclass
class Sender:
    """Delivers by hand, one message at a time."""

    database: Database
    delivery: MessageDelivery

    async def deliver(self, message_id: int) -> None:
        owner_id = await self.database.fetchval("SELECT owner_id FROM messages WHERE id = $1", message_id)
        await self.delivery.deliver(MessageKey(owner_id, message_id))

    async def the_only(self, where: str = "true") -> int:
        [row] = await self.database.fetch(f"SELECT id FROM messages WHERE {where}")
        return int(row["id"])

    async def outcome(self, message_id: int) -> tuple[str, str | None]:
        row = await self.database.fetchrow("SELECT state, reason FROM messages WHERE id = $1", message_id)
        assert row is not None
        return row["state"], row["reason"]


@pytest.fixture
async def sender(brokerage: Brokerage, settings: Settings) -> AsyncIterator[Sender]:
    channels = open_channels(settings)
    yield Sender(brokerage.town.database, MessageDelivery(brokerage.town.database, channels, settings))
    for channel in channels.values():
        if channel is not None:
            await channel.close()
