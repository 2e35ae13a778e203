"""PgBouncer in transaction mode: every transaction may run on another connection, and no one notices."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from leadroutes.errors import Unavailable
from leadroutes.observability.metrics import render
from leadroutes.operations.doctor import all_checks
from leadroutes.settings import Settings
from leadroutes.store.listener import NOTIFY_LOST_MESSAGE, WAKE_CHANNEL
from leadroutes.store.postgres import Database
from tests.support.cluster import Cluster
from tests.support.pgbouncer import SERVERS, needs_pgbouncer, pooler
from tests.support.processes import SERVE_ONLY, WORKER, leadroutes, node, until
from tests.support.story import Story

pytestmark = [needs_pgbouncer, pytest.mark.timeout(300)]


async def test_a_lead_comes_in_is_offered_claimed_and_written_to_through_a_pooler(
    cluster: Cluster, database: Database, database_url: str
) -> None:
    async with pooler(database_url) as address:
        environment = cluster.environment | {"DATABASE_URL": address, "LEADROUTES_DATABASE_LISTEN_URL": database_url}
        async with node(environment, *SERVE_ONLY) as serving, node(environment, *WORKER) as working:
            story = await cluster.at(serving.address)
            await story.set_up()
            await story.option("bob", rank=1)
            await story.option("carol", rank=2)
            await welcome(story, after_seconds=600)
            await story.route()

            leads = await asyncio.gather(*(story.inquire(f"mia{number}") for number in range(20)))
            await story.mailbox.wait_for(20, lambda mail: mail["To"] == "bob@example.com")
            await story.pass_time(minutes=5)
            await story.mailbox.wait_for(20, lambda mail: mail["To"] == "carol@example.com")
            claims = await asyncio.gather(*(story.claim(who, lead["id"]) for lead in leads for who in ("bob", "carol")))
            await story.pass_time(minutes=6)
            await story.mailbox.wait_for(20, lambda mail: mail["Subject"] == "Welcome")

            assert sorted(claim.status_code for claim in claims) == [200] * 20 + [409] * 20
            assert await story.ledger() == {"received": 20, "claimed": 20}
            assert (await story["alice"].get("/readyz")).status_code == 200
            assert await serving.stop() == 0
            assert await working.stop() == 0
            assert [line for line in serving.log + working.log if "error" in line] == []
        assert await leadroutes(environment, "doctor") == (0, f"{len(all_checks())} checks hold\n")


async def welcome(story: Story, after_seconds: int) -> None:
    """One step of the campaign: a mail to the contact."""
    folder = await story.post("alice", "/template-folders", name="Buyers")
    words = {"template_type": "Email", "subject": "Welcome", "body": "Hi"}
    template = await story.post("alice", "/templates", template_folder_id=folder["id"], **words)
    timing = {"timing_type": "Delay by Minutes", "delay_by_seconds": after_seconds}
    path = f"/campaigns/{story.ids['campaign']}/actions"
    await story.post("alice", path, type="Email Contact", template_id=template["id"], **timing)


async def test_exports_through_a_pooler_prepare_nothing_that_stays(cluster: Cluster, database_url: str) -> None:
    async with pooler(database_url) as address:
        environment = cluster.environment | {"DATABASE_URL": address, "LEADROUTES_STATEMENT_CACHE": "0"}
        exports = [leadroutes(environment, "export", "leads", "--owner", "alice@example.com") for _ in range(SERVERS)]
        outcomes = await asyncio.gather(*exports)
        outcomes += [await leadroutes(environment, "export", "contacts", "--owner", "alice@example.com")]

        assert [code for code, _ in outcomes] == [0] * (SERVERS + 1), outcomes


async def test_an_empty_database_is_set_up_through_a_pooler_by_one_of_several(empty_url: str) -> None:
    async with pooler(empty_url) as address:
        environment = {"DATABASE_URL": address, "LEADROUTES_DATABASE_LISTEN_URL": empty_url}
        outcomes = await asyncio.gather(*(leadroutes(environment, "migrate") for _ in range(3)))

    assert sorted(output.split()[0] for _, output in outcomes) == ["Applied", "The", "The"], outcomes


async def test_who_prepares_statements_all_the_same_reads_what_to_set(database_url: str) -> None:
    async with pooler(database_url) as address:
        database = await Database.open(Settings(statement_cache=100), url=address)
        with capture_logs() as logged, pytest.raises(Unavailable):
            await asyncio.gather(*(database.fetchval("SELECT 1 + $1::int", 1) for _ in range(50)))
        await database.close()

    assert {line["event"] for line in logged} == {
        "DATABASE_URL names a pooler that keeps no prepared statements: set LEADROUTES_STATEMENT_CACHE to 0"
    }


@asynccontextmanager
async def listening(settings: Settings, url: str) -> AsyncIterator[Database]:
    """A database that has begun to listen."""
    database = await Database.open(settings, url=url)
    began = asyncio.Event()
    database.listener.listen(WAKE_CHANNEL, began.set)
    database.start_listening()
    await asyncio.wait_for(began.wait(), 20)
    try:
        yield database
    finally:
        await database.close()


async def knows_whether_it_hears(database: Database) -> None:
    async def knows() -> bool:
        return database.listener.notify_is_lost is not None

    await until(knows)


async def test_who_listens_through_a_pooler_reads_what_to_set(database_url: str) -> None:
    async with pooler(database_url) as address:
        with capture_logs() as logged:
            async with listening(Settings(statement_cache=0), address) as database:
                await knows_whether_it_hears(database)
                figures = await render(database)

    assert database.listener.notify_is_lost
    assert [line["event"] for line in logged if line["log_level"] == "error"] == [NOTIFY_LOST_MESSAGE]
    assert "LEADROUTES_DATABASE_LISTEN_URL" in NOTIFY_LOST_MESSAGE
    assert b"leadroutes_notify_lost 1.0" in figures


async def test_services_that_hear_nothing_send_alerts_of_leads_too(cluster: Cluster, database_url: str) -> None:
    async with pooler(database_url) as address:
        environment = cluster.environment | {"DATABASE_URL": address, "LEADROUTES_STATEMENT_CACHE": "0"}
        async with node(environment, *SERVE_ONLY) as serving, node(environment, *WORKER) as working:
            story = await cluster.at(serving.address)
            await story.set_up()
            await story.option("bob", rank=1)
            await story.route()
            await story.inquire("mia")

            async def is_notified() -> bool:
                return any(mail["To"] == "bob@example.com" for mail in story.mailbox.mails)

            async def all_say_so() -> bool:
                return all(any(NOTIFY_LOST_MESSAGE in line for line in each.log) for each in (serving, working))

            await until(is_notified)
            await until(all_say_so)
            assert await serving.stop() == 0
            assert await working.stop() == 0


async def test_who_listens_past_the_pooler_or_has_none_logs_nothing(database_url: str) -> None:
    async with pooler(database_url) as address:
        for settings, url in ((Settings(listen_url=database_url), address), (Settings(), database_url)):
            with capture_logs() as logged:
                async with listening(settings, url) as database:
                    await knows_whether_it_hears(database)
                    figures = await render(database)

            assert not database.listener.notify_is_lost
            assert logged == []
            assert b"leadroutes_notify_lost 0.0" in figures


async def test_a_service_that_stops_before_it_knows_whether_it_hears_logs_nothing(database_url: str) -> None:
    async with pooler(database_url) as address:
        with capture_logs() as logged:
            async with listening(Settings(statement_cache=0), address) as database:
                assert database.listener.notify_is_lost is None

    assert database.listener.notify_is_lost is None
    assert logged == []
