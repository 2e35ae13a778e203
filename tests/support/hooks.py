"""Alice's brokerage with webhooks, and a worker's part that delivers to them, in the process of the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from leadroutes.security.vault import Vault
from leadroutes.security.webhook_signature import new_webhook_secret
from leadroutes.settings import Settings
from leadroutes.store import webhooks as store
from leadroutes.store.postgres import Database
from leadroutes.worker.webhooks import WebhookDelivery
from tests.support.brokerage import Brokerage

SETTINGS = Settings(
    public_url="https://leads.example", secret="a secret of the tests", webhooks_to_private="127.0.0.0/8"
)


@dataclass
class Hooks:
    """`secrets` by webhook; the first delivery begins to listen."""

    brokerage: Brokerage
    settings: Settings = SETTINGS
    secrets: dict[int, str] = field(default_factory=dict)
    is_listening: bool = False

    @property
    def database(self) -> Database:
        return self.brokerage.town.database

    async def add(self, url: str, *events: str, name: str = "alice", **columns: Any) -> int:
        """A webhook of this person's; without events it wants all."""
        secret = new_webhook_secret()
        record = {"url": url, "events": list(events) or None, "format": "standard", "is_active": True} | columns
        async with self.database.transaction() as transaction:
            sealed = Vault.of(self.settings).seal({"secret": secret})
            webhook_id = await store.add_webhook(transaction, self.brokerage.town.users[name], record, sealed)
        self.secrets[webhook_id] = secret
        return webhook_id

    @contextlib.asynccontextmanager
    async def delivering(self, **options: Any) -> AsyncIterator[WebhookDelivery]:
        """Delivers meanwhile whatever is due."""
        delivery = WebhookDelivery(self.database, self.settings, **options)
        if not self.is_listening:
            self.is_listening = True
            self.database.start_listening()
        running = asyncio.create_task(delivery.run())
        try:
            yield delivery
        finally:
            delivery.stop()
            await running
            await delivery.close()

    async def deliver_due(self) -> None:
        """Delivers what is due now, and returns once that is noted."""
        async with self.delivering():
            await self.until_nothing_is_due()

    async def until_nothing_is_due(self) -> None:
        async with asyncio.timeout(30):
            while await self.database.fetchval(  # noqa: ASYNC110 -- the database sets no event of this process
                "SELECT EXISTS (SELECT FROM webhooks WHERE is_active AND (taken_by IS NOT NULL OR due_at <= now()"
                " AND coalesce(taken_until < now(), true)))"
            ):
                await asyncio.sleep(0.01)

    async def bring_forward(self) -> None:
        """Makes everything due that waits for its next try."""
        await self.database.execute("UPDATE webhook_deliveries SET due_at = now() WHERE due_at IS NOT NULL")
        await self.database.execute(
            "UPDATE webhooks SET due_at = now(), taken_by = NULL, taken_until = NULL WHERE due_at IS NOT NULL"
        )

    async def deliveries(self, what: str = "*") -> list[dict[str, Any]]:
        rows = await self.database.fetch(f"SELECT {what} FROM webhook_deliveries ORDER BY id")
        return [dict(row) for row in rows]

    async def states(self) -> list[tuple[str, str]]:
        return [(each["type"], each["state"]) for each in await self.deliveries()]


@pytest.fixture
async def hooks(brokerage: Brokerage) -> Hooks:
    return Hooks(brokerage)
