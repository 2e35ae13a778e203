"""A hot standby, which follows the primary: what may be read there, and what is said to those who write."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chaos.postgres import Server, binaries
from leadroutes.operations.doctor import all_checks
from leadroutes.settings import Settings
from leadroutes.store.listener import WAKE_CHANNEL
from leadroutes.store.migrate import migrate
from leadroutes.store.postgres import Database
from tests.support.cluster import leave
from tests.support.directories import make_directory
from tests.support.mailbox import Mailbox
from tests.support.processes import SERVE, SERVE_ONLY, leadroutes, node, until
from tests.support.story import Story
from tests.support.town import Town

pytestmark = [
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL's programs did not come with the installation"),
    pytest.mark.timeout(300),
]


@dataclass
class Pair:
    """A primary with its standby, and a story at the primary."""

    primary: Server
    standby: Server
    story: Story
    environment: dict[str, str]

    @property
    def at_standby(self) -> dict[str, str]:
        return self.environment | {"DATABASE_URL": self.standby.url("leads")}

    async def until_it_has_followed(self) -> None:
        """Until the standby has all that the primary has now."""
        [row] = await self.primary.ask("SELECT pg_current_wal_lsn()::text AS lsn")

        async def has_followed() -> bool:
            [row_there] = await self.standby.ask(
                "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn AS so", row["lsn"]
            )
            return bool(row_there["so"])

        await until(has_followed)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    directory = open_directory()
    primary, standby = Server(directory / "primary"), Server(directory / "standby")
    try:
        await primary.make()
        await primary.start()
        await primary.ask("CREATE DATABASE leads")
        database = await Database.open(Settings(), url=primary.url("leads"))
        await migrate(database)
        await standby.copy(primary)
        await standby.start()
        town = Town(database)
        for name in ("alice", "bob", "carol", "dave"):
            await town.add_user(name)
        async with Mailbox() as mailbox:
            environment = {
                "DATABASE_URL": primary.url("leads"),
                "LEADROUTES_DATA": str(tmp_path),
                "LEADROUTES_SECRET": "the same on every node",
                "LEADROUTES_SMTP_URL": mailbox.url,
            }
            story = Story(database, town, mailbox, Settings(smtp_url=mailbox.url, data=tmp_path))
            yield Pair(primary, standby, story, environment)
            await leave(story)
        await database.close()
    finally:
        await primary.stop_at_once()
        await standby.stop_at_once()
        shutil.rmtree(directory, ignore_errors=True)


def open_directory() -> Path:
    """Not pytest's own: those are closed to the user that PostgreSQL runs as."""
    directory = make_directory("standby")
    directory.chmod(0o755)
    return directory


READS = ("/leads", "/teams", "/lead-routes", "/contacts", "/ledger", "/me")
READS_OF_LEAD = ("", "/offers", "/routing")


async def test_a_standby_answers_who_reads_and_tells_who_writes_to_go_elsewhere(pair: Pair) -> None:
    story = pair.story
    async with node(pair.environment, *SERVE) as primary, node(pair.at_standby, *SERVE_ONLY) as standby:
        story.address = primary.address
        await story.set_up()
        await story.option("bob")
        await story.route()
        lead = await story.inquire()
        await story.mail_to("bob", "New lead")
        reads = READS + tuple(f"/leads/{lead['id']}{path}" for path in READS_OF_LEAD)
        there = {path: await story.get("alice", path) for path in reads}
        await pair.until_it_has_followed()

        await leave(story)
        story.address = standby.address
        assert {path: await story.get("alice", path) for path in reads} == there
        assert (await story["alice"].get("/readyz")).status_code == 200

        writes = [
            await story["alice"].post("/lead-sources", json={"name": "Yard sign"}),
            await story["alice"].patch(f"/teams/{story.ids['team']}", json={"name": "South Side"}),
            await story["alice"].delete(f"/teams/{story.ids['team']}"),
            await story.claim("bob", lead["id"]),
            await story["zillow"].post(f"/intake/{story.key}", json={"email": "lea@example.org", "name": "Lea Berg"}),
        ]
        assert [answer.status_code for answer in writes] == [503] * 5, [answer.text for answer in writes]
        assert {answer.json()["message"] for answer in writes} == {
            "This is a copy of the database, which takes no changes: make them where the original is"
        }
        assert await story.get("alice", "/ledger") == there["/ledger"]
        assert sum("a copy" in line for line in standby.log) == 1, "it says once why it hears of nothing"
        await leave(story)
        assert await standby.stop() == 0


async def test_commands_that_only_look_work_on_a_standby(pair: Pair, tmp_path: Path) -> None:
    async with node(pair.environment, *SERVE) as primary:
        pair.story.address = primary.address
        await pair.story.set_up()
        await pair.story.inquire()
        await leave(pair.story)
        assert await primary.stop() == 0
    await pair.until_it_has_followed()

    assert await leadroutes(pair.at_standby, "doctor") == (0, f"{len(all_checks())} checks hold\n")
    code, view = await leadroutes(pair.at_standby, "top", "--once")
    assert (code, "of the last hour, claimed" in view) == (0, True)
    code, csv = await leadroutes(pair.at_standby, "export", "leads", "--owner", "alice@example.com")
    assert (code, "mia@example.org" in csv) == (0, True)

    code, one = await leadroutes(pair.at_standby, "export", "contact", "1", "--owner", "alice@example.com")
    assert (code, "mia@example.org" in one) == (0, True)
    code, output = await leadroutes(pair.at_standby, "backup", str(tmp_path / "backup"))
    assert code == 0, output

    code, output = await leadroutes(pair.at_standby, "user", "add", "eve@example.com")
    assert code == 1
    assert "takes no changes" in output


async def test_who_reads_a_standby_and_listens_to_the_primary_hears_it_and_logs_nothing(pair: Pair) -> None:
    settings = Settings(listen_url=pair.primary.url("leads"))
    database = await Database.open(settings, url=pair.standby.url("leads"))
    heard = asyncio.Event()
    database.listener.listen(WAKE_CHANNEL, heard.set)
    with capture_logs() as logged:
        database.start_listening()
        await asyncio.wait_for(heard.wait(), 20)
        heard.clear()
        await pair.story.database.execute("SELECT pg_notify($1, '')", WAKE_CHANNEL)
        await asyncio.wait_for(heard.wait(), 20)
        assert await database.fetchval("SELECT pg_is_in_recovery()")
        await database.close()

    assert database.listener.notify_is_lost is None, "a copy passes nothing on, so it cannot be asked"
    assert logged == []
