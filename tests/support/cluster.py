"""Alice's brokerage as a database knows it, for processes that are started beside the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadroutes.settings import Settings
from leadroutes.store.postgres import Database
from tests.support.mailbox import Mailbox
from tests.support.story import Story
from tests.support.town import Town


@dataclass
class Cluster:
    """A story whose service is made of processes; `environment` is what each of them is given."""

    story: Story
    environment: dict[str, str]

    @property
    def mailbox(self) -> Mailbox:
        return self.story.mailbox

    async def at(self, address: str) -> Story:
        """The same story, played against the process that answers there."""
        await leave(self.story)
        self.story.address = address
        return self.story


async def leave(story: Story) -> None:
    """No one has a connection any more."""
    for client in story.clients.values():
        await client.aclose()
    story.clients.clear()


@pytest.fixture
async def cluster(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    town = Town(database)
    for name in ("alice", "bob", "carol", "dave"):
        await town.add_user(name)
    async with Mailbox() as mailbox:
        environment = {
            "DATABASE_URL": database_url,
            "LEADROUTES_DATA": str(tmp_path),
            "LEADROUTES_SECRET": "the same on every node",
            "LEADROUTES_SMTP_URL": mailbox.url,
        }
        story = Story(database, town, mailbox, Settings(smtp_url=mailbox.url, data=tmp_path))
        yield Cluster(story, environment)
        await leave(story)
