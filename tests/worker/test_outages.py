"""What becomes of a message whose worker loses the database, or is taken for dead while it hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.types import QueueEntrypoint, QueueManagerId

from leadroutes.channels import open_channels
from leadroutes.engine.engine import Engine
from leadroutes.retry import RetryLater
from leadroutes.settings import Settings
from leadroutes.store.hosts import Hosts
from leadroutes.store.messages import DeliveryLog, DeliveryOutcome, MessageKey
from leadroutes.store.postgres import Database
from leadroutes.store.queue import RetryQueries, enqueue
from leadroutes.worker.delivery import MessageDelivery
from leadroutes.worker.worker import Worker
from tests.support.brokerage import Brokerage
from tests.support.mailbox import Mailbox
from tests.support.sender import Sender
from tests.support.tcp_proxy import TcpProxy


class Meddling(Mailbox):
    """A mail server during whose answer something happens."""

    def __init__(self, meddle, answer: str = "250 OK") -> None:
        super().__init__()
        self.meddle, self.answer = meddle, answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await super().handle_DATA(server, session, envelope)
        await self.meddle()
        return self.answer


@asynccontextmanager
async def working(url: str, settings: Settings, **tasks) -> AsyncIterator[Worker]:
    """A worker on a database of this address."""
    database = await Database.open(settings, url=url)
    await database.load_clock()
    worker = Worker(database, Engine(database), settings, tasks)
    database.start_listening()
    running = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await asyncio.wait_for(running, 20)
    await database.close()


async def until(database: Database, sql: str) -> None:
    """Wait for something that the worker does."""
    async with asyncio.timeout(30):
        while not await database.fetchval(sql):
            pass  # the question itself takes its time


async def test_what_was_sent_while_the_database_was_away_is_noted_once_it_is_back(
    brokerage: Brokerage, database: Database, database_url: str, settings: Settings
) -> None:
    door = TcpProxy(database_url)
    was_sent = asyncio.Event()

    async def lose_the_database() -> None:
        await door.shut()
        was_sent.set()

    async with (
        door.open() as url,
        Meddling(lose_the_database) as mailbox,
        working(url, Settings(smtp_url=mailbox.url, data=settings.data)),
    ):
        await brokerage.ask()
        await asyncio.wait_for(was_sent.wait(), 20)
        await door.unlock()
        await until(database, "SELECT state = 'sent' FROM messages WHERE kind = 'offer'")
        assert len(mailbox.mails) == 1, "and the member is not notified twice"
        await until(database, "SELECT NOT EXISTS (SELECT FROM pgqueuer)")


async def test_a_job_that_cannot_be_put_off_is_not_given_up(database: Database, database_url: str) -> None:
    async with database.transaction() as transaction:
        await enqueue(transaction.connection, "deliver", [(1, 1)])
    door = TcpProxy(database_url)
    async with door.open() as url, Hosts(url).pool(min_size=1, max_size=2) as pool:
        queries = RetryQueries(AsyncpgPoolDriver(pool))
        [job] = await take(queries)
        await door.shut()
        await queries.retry_job(job, timedelta(seconds=30), None)
        pool.terminate()
    assert await database.fetchval("SELECT status::text FROM pgqueuer") == "picked", "and so it is taken over"


async def take(queries: RetryQueries) -> list[Job]:
    return await queries.dequeue(
        1, {QueueEntrypoint("deliver"): EntrypointExecutionParameter(concurrency_limit=0)},
        QueueManagerId("00000000-0000-0000-0000-000000000001"), None, timedelta(seconds=30),
    )  # fmt: skip


async def test_an_internal_fault_puts_a_job_off_and_does_not_end_it(
    database: Database, database_url: str, settings: Settings
) -> None:
    async def fail(_payload: bytes, _attempt: int) -> None:
        raise ZeroDivisionError

    async with working(database_url, settings, odd=fail):
        async with database.transaction() as transaction:
            await enqueue(transaction.connection, "odd", [(1, 1)])
        await until(database, "SELECT status = 'queued' AND attempts = 1 AND execute_after > now() FROM pgqueuer")


async def test_whose_attempt_was_followed_by_another_may_only_say_that_it_was_sent(
    brokerage: Brokerage, sender: Sender, database: Database
) -> None:
    await brokerage.ask()
    message_id = await sender.the_only()
    key = MessageKey(brokerage.owner_id, message_id)
    for _ in range(2):
        assert await DeliveryLog(database).begin(key) is not None
    assert not await DeliveryLog(database).note(key, 1, DeliveryOutcome(state="queued", reason="busy"))
    assert await sender.outcome(message_id) == ("sending", None)
    assert await DeliveryLog(database).note(key, 2, DeliveryOutcome(state="queued", reason="busy"))
    assert not await DeliveryLog(database).note(key, 1, DeliveryOutcome(state="failed", reason="refused"))
    assert await sender.outcome(message_id) == ("queued", "busy")
    assert await DeliveryLog(database).note(key, 1, DeliveryOutcome(state="sent", address="bob@example.com"))
    assert await sender.outcome(message_id) == ("sent", None)


async def test_who_was_taken_for_dead_leaves_the_job_to_who_took_over(
    brokerage: Brokerage, sender: Sender, database: Database, settings: Settings
) -> None:
    await brokerage.ask()
    message_id = await sender.the_only()
    key = MessageKey(brokerage.owner_id, message_id)

    async def take_over() -> None:
        assert await DeliveryLog(database).begin(key) is not None

    async with Meddling(take_over, "554 no") as mailbox:
        sends = Settings(smtp_url=mailbox.url, data=settings.data)
        with pytest.raises(RetryLater):
            await MessageDelivery(database, open_channels(sends), sends).deliver(key)
    assert await sender.outcome(message_id) == ("sending", None)
