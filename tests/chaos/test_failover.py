"""The primary dies and its standby takes over: all follow by themselves, and nothing acknowledged is lost."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.load import Load, Sent
from chaos.postgres import HOST, Server, binaries
from chaos.run import Plan, settle
from chaos.stage import DATABASE, Stage, set_up
from chaos.verdict import CHECKS, Evidence, judge
from tests.support.directories import make_directory

pytestmark = [
    pytest.mark.skipif(binaries() is None, reason="PostgreSQL's programs did not come with the installation"),
    pytest.mark.timeout(400),
]

PLAN = Plan(kills=1, seed=5, waits_for_retries=False, settled_within=120)
RATE = 10.0  # leads a second


@pytest.fixture
def directory():
    """Not pytest's own: those are closed to the user that PostgreSQL runs as."""
    directory = make_directory("failover")
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


async def test_all_follow_to_the_standby_and_back_again_and_nothing_acknowledged_is_lost(directory: Path) -> None:
    async with pair(directory) as (first, second), service(directory, first, second) as stage, load_on(stage) as load:
        await until_taken(load, 30, first)
        await first.kill()
        await second.promote()
        await until_taken(load, 30, second)

        await first.rewind(second)
        await first.start()
        await wait_for_standby(second)
        await until_taken(load, 30, second)
        await second.kill()
        await first.promote()
        await until_taken(load, 30, first)

        load.end()
        assert await settle(PLAN, first, load) == []
        evidence = Evidence(first, DATABASE, load.record, stage.sink.notes(), stage.world, stage.brokerage)
        assert await judge(evidence) == {check: [] for check in CHECKS}
        assert [program.ends for program in (*stage.serves, *stage.workers)] == [[]] * 4, "no program was started again"
        code, said = await stage.leadroutes("doctor")
        assert code == 0, said


async def test_a_primary_that_waits_for_its_standby_acknowledges_nothing_alone(directory: Path) -> None:
    """What no standby has confirmed is not answered 2xx, and is there once when the sender has come again."""
    async with pair(directory) as (first, second), service(directory, first, second) as stage, load_on(stage) as load:
        await until_taken(load, 10, first)
        await second.stop_at_once()
        await until(first, "SELECT NOT EXISTS (SELECT FROM pg_stat_replication) AS is_so")
        confirmed = {row["mls_id"] for row in await first.ask("SELECT mls_id FROM leads", database=DATABASE)}
        unanswered = load.record.unanswered
        async with asyncio.timeout(60):
            while load.record.unanswered < unanswered + 5:
                await first.is_ready()
        answered = {name for name, sent in load.record.leads.items() if sent.lead_ids}
        assert answered <= confirmed

        await second.start()
        await until_taken(load, 30, first)
        load.end()
        assert await settle(PLAN, first, load) == []
        evidence = Evidence(first, DATABASE, load.record, stage.sink.notes(), stage.world, stage.brokerage)
        assert await judge(evidence) == {check: [] for check in CHECKS}
        await expect_forgeries_to_be_noticed(evidence)


async def expect_forgeries_to_be_noticed(evidence: Evidence) -> None:
    """A verdict that would say yes to everything proves nothing."""
    record = evidence.record
    record.leads["L999999"] = Sent("L999999", {1})
    claimed = ((lead_id, users) for lead_id, users in record.claimed.items() if users)
    lead_id, winners = next(each for each in claimed if each[0] not in record.assigned)  # who assigns may give it away
    winners.add(-1)
    to_contact = next(mail for mail in evidence.mails if mail.to.endswith("@example.org"))
    breaches = await judge(replace(evidence, mails=[*evidence.mails, to_contact]))
    assert [check for check, found in breaches.items() if found] == [
        "every lead that was answered 2xx is there exactly once",
        "one claim a lead, and one winner is notified",
        "no contact was sent the same message twice",
        "all leads have settled and the ledger adds up",
    ]
    assert any(str(lead_id) in breach for breach in breaches["one claim a lead, and one winner is notified"])


@asynccontextmanager
async def pair(directory: Path) -> AsyncIterator[tuple[Server, Server]]:
    """A primary, and its standby without whose word it confirms nothing."""
    first, second = Server(directory / "first", settings={"wal_keep_size": "256MB"}), Server(directory / "second")
    try:
        await first.make()
        await first.start()
        await second.copy(first)
        await second.start()
        await wait_for_standby(first)
        yield first, second
    finally:
        await first.stop_at_once()
        await second.stop_at_once()


@asynccontextmanager
async def service(directory: Path, first: Server, second: Server) -> AsyncIterator[Stage]:
    """Two services and two workers that know both servers."""
    url = f"postgresql://postgres@{HOST}:{second.port},{HOST}:{first.port}/{DATABASE}"
    async with set_up(directory, PLAN.seed, first, url) as stage:
        stage.sink.become("calm")
        stage.world.become("calm")
        yield stage


@asynccontextmanager
async def load_on(stage: Stage) -> AsyncIterator[Load]:
    """Leads are sent to the services all the time, and people deal with them, until `end()`."""
    load = Load(stage.brokerage, stage.ports, stage.mail_ports, stage.sink, PLAN.seed)
    sending = asyncio.create_task(load.run(RATE))
    try:
        yield load
    finally:
        load.end()
        await sending
        await load.close()


async def wait_for_standby(primary: Server) -> None:
    """From now on the primary commits only what its standby has on disk, too."""
    await primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await primary.ask("SELECT pg_reload_conf()")
    await until(primary, "SELECT count(*) = 1 AS is_so FROM pg_stat_replication WHERE sync_state = 'sync'")


async def until(server: Server, question: str) -> None:
    """Until the server says that it is so."""
    async with asyncio.timeout(60):
        while not (await server.ask(question))[0]["is_so"]:
            pass  # the question itself takes its time


async def until_taken(load: Load, more: int, primary: Server) -> None:
    """Until so many more leads have been answered 2xx."""
    taken = len(load.record.accepted_at)
    async with asyncio.timeout(90):
        while len(load.record.accepted_at) < taken + more:
            await primary.is_ready()
