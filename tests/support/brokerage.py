"""Alice's brokerage with the engine on it: an intake key, a route to Alice's team, Bob before Carol."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from leadroutes.engine.engine import Engine
from leadroutes.ingest.arrivals import Arrivals, IntakeResult
from leadroutes.store.postgres import Database
from tests.support.town import Town

KEY = "an intake key of Alice's"


@dataclass
class Brokerage:
    town: Town
    engine: Engine
    arrivals: Arrivals
    owner_id: int

    async def ask(self, idempotency_key: str | None = None, /, **fields: Any) -> IntakeResult:
        """Someone asks through the intake door."""
        body = msgspec.json.encode({"email": "mia@example.com", "name": "Mia Lund", **fields})
        return await self.arrivals.ingest(
            KEY, body, {"Content-Type": "application/json"}, idempotency_key=idempotency_key
        )

    async def states(self, lead_id: int) -> dict[str, str]:
        rows = await self.town.database.fetch(
            "SELECT username, state FROM offers JOIN users ON users.id = user_id WHERE lead_id = $1", lead_id
        )
        return {row["username"]: row["state"] for row in rows}


@pytest.fixture
async def brokerage(database: Database) -> AsyncIterator[Brokerage]:
    town = await Town.create(database)
    await database.execute("UPDATE teams SET mins_until_next_alert = 5")
    await town.option("alice", town.team_id, "bob", rank=1)
    await town.option("alice", town.team_id, "carol", rank=2)
    await town.route("alice")
    owner_id = town.users["alice"]
    digest = hashlib.sha256(KEY.encode()).digest()
    key = {"key_hash": digest, "lead_source_id": 1, "created_at": town.now, "is_private": True}
    await town.insert("intake_keys", owner_id=owner_id, **key)
    engine = Engine(database)
    arrivals = Arrivals(engine)
    yield Brokerage(town, engine, arrivals, owner_id)
    await arrivals.close()
