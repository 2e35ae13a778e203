"""Alice's brokerage with phones: offers that were sent by text, and texts that come in and are dealt with."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import pytest

from leadroutes.ingest.received_texts import ReceivedTexts
from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from leadroutes.store.queue import RowKey
from leadroutes.store.received_texts import NewText, add_received_text, take_reply_number
from tests.support.brokerage import Brokerage

OURS, BOBS, CAROLS = "+13035550100", "+13035550142", "+13035550143"
MIAS = "+13035550199"


@dataclass
class Phones:
    """Alice's brokerage, in which Bob and Carol get offers by text."""

    brokerage: Brokerage
    texts: ReceivedTexts
    ids: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def database(self) -> Database:
        return self.brokerage.town.database

    @property
    def owner_id(self) -> int:
        return self.brokerage.owner_id

    async def offered(self, *agents: tuple[str, str], **fields: Any) -> int:
        """A new lead, which these agents (name, phone) are sent by text. Returns its id."""
        email = f"person{next(self.ids)}@example.com"
        result = await self.brokerage.ask(**({"email": email, "name": "Mia Lund"} | fields))
        [lead_id] = result.stored.lead_ids
        for name, phone in agents:
            await self.send(lead_id, self.brokerage.town.users[name], phone)
        return lead_id

    async def send(self, lead_id: int, user_id: int, phone: str) -> int | None:
        """The text of an offer, as it was sent. Returns its reply number."""
        offer_id = await self.database.fetchval(
            "SELECT id FROM offers WHERE lead_id = $1 AND user_id = $2", lead_id, user_id
        )
        return await take_reply_number(self.database, phone, self.owner_id, offer_id, 1_000_000 + next(self.ids))

    async def say(self, phone: str | None, body: str, *, number: str | None = OURS, **more: Any) -> None:
        """A text comes in and is dealt with."""
        text_id = await self.come_in(phone, body, number=number, **more)
        await self.read(text_id)

    async def come_in(self, phone: str | None, body: str, *, number: str | None = OURS, **more: Any) -> int:
        text = NewText(**{"provider_id": f"SM{next(self.ids)}", "number": number, "phone": phone, "body": body} | more)
        await add_received_text(self.database, text)
        found: int = await self.database.fetchval("SELECT max(id) FROM received_texts")
        return found

    async def read(self, text_id: int) -> None:
        await self.texts.read(msgspec.json.encode(RowKey(0, text_id)), 1)

    async def answers(self, phone: str, kind: str = "answer") -> list[str]:
        rows = await self.database.fetch(
            "SELECT text_body FROM messages WHERE kind = $1 AND address = $2 ORDER BY id", kind, phone
        )
        return [row["text_body"] for row in rows]

    async def outcomes(self) -> dict[str, int]:
        rows = await self.database.fetch("SELECT outcome, count(*) AS n FROM received_texts GROUP BY 1")
        return {row["outcome"]: row["n"] for row in rows}

    async def suppressed(self) -> list[tuple[int, str]]:
        rows = await self.database.fetch(
            "SELECT owner_id, value FROM suppressions WHERE ended_at IS NULL AND channel = 'text'"
            " AND reason = 'stopped' ORDER BY 1, 2"
        )
        return [(row["owner_id"], row["value"]) for row in rows]

    async def give_number(self, name: str, *, with_key: bool = False, number: str = "+13035550111") -> int:
        """A number of the account belongs to this user, with an intake key or without one."""
        town, user_id = self.brokerage.town, self.brokerage.town.users[name]
        key_id = None
        if with_key:
            key_id = await town.insert(
                "intake_keys", owner_id=user_id, key_hash=number.encode(), lead_source_id=1, created_at=town.now
            )
        return await town.insert(
            "phone_numbers", owner_id=user_id, number=number, intake_key_id=key_id, created_at=town.now
        )

    async def write_to(self, contact_id: int, phone: str, owner_id: int | None = None) -> None:
        """A text to a contact has been sent."""
        await self.brokerage.town.insert(
            "messages", owner_id=owner_id or self.owner_id, kind="campaign", channel="text", contact_id=contact_id,
            state="sent", address=phone, created_at=self.brokerage.town.now, sent_at=self.brokerage.town.now,
        )  # fmt: skip


@pytest.fixture
async def phones(brokerage: Brokerage, database: Database) -> Phones:
    await database.execute("UPDATE teams SET mins_until_next_alert = 0")
    await database.execute("UPDATE users SET phone = $1 WHERE username = 'bob'", BOBS)
    await database.execute("UPDATE users SET timezone = 'America/Denver' WHERE username = 'bob'")
    return Phones(brokerage, ReceivedTexts(brokerage.arrivals, Settings(twilio_answers_stop=False)))
