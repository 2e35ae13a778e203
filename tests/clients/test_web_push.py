"""A push service that others have written takes what is sent, and reads it: web-push-testing, of npm."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadroutes.channels import open_channels
from leadroutes.engine.push_keys import load_push_keys, replace_push_keys
from leadroutes.security.vault import Vault
from leadroutes.settings import Settings
from leadroutes.store.messages import MessageKey
from leadroutes.worker.delivery import MessageDelivery
from tests.support.brokerage import Brokerage
from tests.support.javascript import NodeJs


@dataclass
class OthersServer:
    """The service, asked by HTTP."""

    client: httpx.AsyncClient

    async def ask(self, path: str, **fields: str) -> Any:
        answer = await self.client.post(path, data=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"] if answer.headers["content-type"].startswith("application/json") else None

    async def messages(self, client_hash: str) -> list[dict[str, Any]]:
        found = await self.ask("/get-notifications", clientHash=client_hash)
        return [json.loads(each) for each in found["messages"]]


@pytest.fixture
async def others(node_js: NodeJs) -> AsyncIterator[OthersServer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await node_js.start("push-service.cjs", str(port))
    try:
        assert process.stdout is not None
        first = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        assert "Server running" in first, first
        async with httpx.AsyncClient(base_url=f"http://localhost:{port}") as client:
            yield OthersServer(client)
    finally:
        process.kill()
        await process.wait()


async def test_a_foreign_push_service_reads_alerts_refuses_other_keys_and_forgets(
    brokerage: Brokerage, others: OthersServer, tmp_path: Path
) -> None:
    settings = Settings(
        data=tmp_path,
        secret="a secret of the tests",
        mail_from="leads@brokerage.example",
        push_services=str(others.client.base_url).rstrip("/"),
    )
    database, vault = brokerage.town.database, Vault.of(settings)
    keys = await load_push_keys(database, vault)
    given = await others.ask("/subscribe", userVisibleOnly="true", applicationServerKey=keys.public_key)
    await allow(brokerage, given)
    await brokerage.ask(city="Denver", lead_type="Buyer", listing_price="450000")
    assert await deliver(brokerage, settings) == [("sent", None)]
    [shown] = await others.messages(given["clientHash"])
    assert shown["title"].startswith("New lead: Mia, in Denver, Buyer, $450,000")
    assert shown["path"].startswith("offers/")

    await replace_push_keys(database, vault)
    await allow(brokerage, given)
    await brokerage.ask(email="noor@example.org")
    [(state, reason)] = await deliver(brokerage, settings)
    assert (state, (reason or "")[:26]) == ("failed", "the push service said 400 ")

    await others.ask(f"/expire-subscription/{given['clientHash']}")
    await brokerage.ask(email="tom@example.org")
    assert await deliver(brokerage, settings) == [("suppressed", "no browser of the user shows notifications any more")]
    assert await database.fetchval("SELECT count(*) FROM push_subscriptions") == 0


async def allow(brokerage: Brokerage, given: dict[str, Any]) -> None:
    await brokerage.town.database.execute(
        "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES ($1, $2, $3, $4)",
        brokerage.town.users["bob"], given["endpoint"], given["keys"]["p256dh"], given["keys"]["auth"],
    )  # fmt: skip


async def deliver(brokerage: Brokerage, settings: Settings) -> list[tuple[str, str | None]]:
    """What became of the notifications that waited."""
    database = brokerage.town.database
    delivery = MessageDelivery(database, open_channels(settings), settings)
    rows = await database.fetch(
        "SELECT owner_id, id FROM messages WHERE channel = 'push' AND state = 'queued' ORDER BY id"
    )
    for row in rows:
        await delivery.deliver(MessageKey(row["owner_id"], row["id"]))
    await delivery.close()
    found = await database.fetch("SELECT state, reason FROM messages WHERE id = ANY ($1)", [row["id"] for row in rows])
    return [tuple(row) for row in found]
