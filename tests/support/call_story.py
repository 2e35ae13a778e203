"""The brokerage of the stories with phones: a provider that rings them, and people who press keys."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.support.processes import until
from tests.support.provider import Provider
from tests.support.provider_calls import Person, Phones
from tests.support.story import Story, winter_noon

PHONES = {"alice": "+13035550001", "bob": "+13035550002", "carol": "+13035550003", "dave": "+13035550004"}  # Denver
MIA = "+13035550199"
ASKED = {"phone": MIA, "city": "Denver", "state": "CO", "zip": "80205", "type": "Buyer"}


@dataclass
class CallStory:
    """A story, its provider and its phones. It is noon in Denver."""

    story: Story
    provider: Provider
    phones: Phones

    async def option(self, name: str, **changes: Any) -> int:
        """This member is called, and gets no mails, unless said otherwise."""
        return await self.story.option(name, **{"has_call_alert": True, "has_email_alert": False} | changes)

    async def inquire(self, name: str = "mia", **fields: Any) -> Any:
        return await self.story.inquire(name, **(ASKED | fields))

    def at(self, name: str, *people: Person) -> None:
        self.phones.at(PHONES[name], *people)

    async def set_hour(self, hour: int) -> None:
        """The clock moves to this hour in Denver."""
        now = self.story.database.clock.now()
        later = now.replace(hour=(hour + 7) % 24, minute=30)  # in winter
        await self.story.database.move_clock((later - now) % timedelta(days=1))

    async def messages(self, condition: str = "true") -> list[dict[str, Any]]:
        rows = await self.story.database.fetch(f"SELECT * FROM messages WHERE {condition} ORDER BY id")
        return [dict(row) for row in rows]

    async def message(self, condition: str = "channel = 'call'", **expected: Any) -> dict[str, Any]:
        """The only message of this kind, once it is as expected: what the provider reports comes by itself."""
        found: list[dict[str, Any]] = []

        async def is_so() -> bool:
            found[:] = await self.messages(condition)
            return bool(found) and all(found[0][name] == value for name, value in expected.items())

        await until(is_so)
        [message] = found
        return message


@pytest.fixture
async def call_story(unstarted: Story) -> AsyncIterator[CallStory]:
    """It is half past twelve on a winter Thursday in Denver; a provider is configured, Bob and Carol have phones."""
    now = unstarted.database.clock.now()
    await unstarted.database.move_clock(winter_noon(now) - now)  # no one is connected at weekends
    for name, phone in PHONES.items():
        await unstarted.database.execute("UPDATE users SET phone = $2 WHERE id = $1", unstarted.town.users[name], phone)
    async with Provider() as provider:
        unstarted.settings = replace(unstarted.settings, **provider.settings, calls_per_second=1000.0)
        async with unstarted.service():
            provider.service = httpx.AsyncClient(base_url=unstarted.address, timeout=30)
            await unstarted.set_up()
            yield CallStory(unstarted, provider, Phones(provider))
