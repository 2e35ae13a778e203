"""What is due? Wakes up for offers, campaign steps and messages, and hands each to those who deal with it.

Any number of workers may run at once; none keeps anything that the database does not know.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import structlog
from pgqueuer.errors import FailingListenerError, RetryRequested
from pgqueuer.models import Job

from leadroutes.channels import open_channels
from leadroutes.engine.engine import Engine
from leadroutes.errors import Unavailable
from leadroutes.observability import metrics
from leadroutes.observability.traces import span
from leadroutes.retry import RetryLater, retry_delay
from leadroutes.settings import Settings
from leadroutes.store import statement
from leadroutes.store.connection_errors import CONNECTION_ERRORS
from leadroutes.store.listener import WAKE_CHANNEL
from leadroutes.store.messages import MessageKey
from leadroutes.store.outage_logs import silence_library_tracebacks
from leadroutes.store.postgres import STATEMENT_TIMEOUT, Database
from leadroutes.store.queue import DELIVERY_JOB, ListeningDriver, ListeningQueue
from leadroutes.worker.delivery import MessageDelivery
from leadroutes.worker.retention import clean_when_due

log = structlog.get_logger()

MAX_SLEEP = 30.0  # seconds without looking, should a wake-up have been lost
MIN_SLEEP = 0.02  # what is due may be in another worker's hands
HEARTBEAT_INTERVAL = 10.0  # seconds
CLEANING_CHECK_INTERVAL = 60.0  # seconds between two looks whether somebody has cleaned within the last hour
FAULT_PAUSE = 1.0  # seconds
JOBS_PER_FETCH = 20  # jobs taken at once
DELIVERIES_WHILE_BEHIND = 4  # messages under way at once while more is due than fits into a batch
WORKER_TIMEOUT = timedelta(seconds=20)  # a worker's jobs are taken over when it has not been heard of for so long
DEQUEUE_TIMEOUT = timedelta(seconds=5)
QUEUE_CONNECTIONS = 4
POOL_CLOSE_TIMEOUT = 5.0  # seconds
RETRY_REASON = "the outbox says why, or the log"  # the queue's own log would keep what a mail server says of somebody


JobFunction = Callable[[bytes, int], Awaitable[None]]  # payload and number of the attempt; may raise RetryLater


class Worker:
    """`run()` until `stop()`; survives that PostgreSQL goes away and comes back. `tasks` are done beside messages."""

    def __init__(
        self, database: Database, engine: Engine, settings: Settings, tasks: Mapping[str, JobFunction] | None = None
    ) -> None:
        self._database = database
        self._engine = engine
        self._channels = open_channels(settings)
        self._delivery = MessageDelivery(database, self._channels, settings)
        self._settings = settings
        self._tasks = {
            name: self._with_retries(task) for name, task in {DELIVERY_JOB: self._deliver, **(tasks or {})}.items()
        }
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._deliveries_while_behind = asyncio.Semaphore(DELIVERIES_WHILE_BEHIND)
        self._queue: ListeningQueue | None = None
        self._id = str(uuid.uuid4())
        database.listener.listen(WAKE_CHANNEL, self._wake.set)
        silence_library_tracebacks()

    async def run(self) -> None:
        """Work until told to stop; then what has been begun is finished."""
        loops = (self._run_timers, self._deliver_messages, self._send_heartbeats, self._clean_up)
        await asyncio.gather(*(self._run_forever(loop) for loop in loops))
        for channel in self._channels.values():
            if channel is not None:
                await channel.close()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._stop_queue()

    def _stop_queue(self) -> None:
        """Also when one of its connections breaks: it would notice after half a minute, and is begun again at once."""
        if self._queue is not None:
            self._queue.shutdown.set()

    async def _run_forever(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Begin again whenever a loop breaks off; a database that is away is no news to anybody."""
        while not self._stopping.is_set():
            try:
                await loop()
            except (Unavailable, FailingListenerError, *CONNECTION_ERRORS) as error:
                log.warning("the worker waits for the database", error=repr(error))
            except Exception:
                log.exception("the worker begins again", loop=getattr(loop, "__name__", ""))
            await self._sleep(FAULT_PAUSE)

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    # -- timers

    async def _run_timers(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            with span("do what is due"):
                moment = await self._engine.run_due(self._stopping.is_set)
            seconds = MAX_SLEEP if moment is None else self._database.clock.real_seconds_until(moment)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), min(max(seconds, MIN_SLEEP), MAX_SLEEP))

    # -- messages

    async def _deliver_messages(self) -> None:
        """PgQueuer takes the jobs, retries them and keeps their heartbeats; its connections are its own."""

        async def watch(connection: asyncpg.Connection) -> None:
            connection.add_termination_listener(lambda _: self._stop_queue())

        async with self._queue_connections(watch) as pool:
            queue = self._queue = ListeningQueue(ListeningDriver(pool))
            for name, task in self._tasks.items():
                queue.entrypoint(name, on_failure="hold")(_job(name, task))
            if self._stopping.is_set():
                return
            await queue.run(
                dequeue_timeout=DEQUEUE_TIMEOUT,
                heartbeat_timeout=WORKER_TIMEOUT,
                batch_size=JOBS_PER_FETCH,
                max_concurrent_tasks=2 * JOBS_PER_FETCH,
                shutdown_on_listener_failure=True,
            )

    @contextlib.asynccontextmanager
    async def _queue_connections(self, watch: Callable[[asyncpg.Connection], Awaitable[None]]) -> AsyncIterator[Any]:
        """What does not come back when they are closed is left behind: it hangs on a server that is gone."""
        pool = await self._database.hosts.pool(
            min_size=2, max_size=QUEUE_CONNECTIONS, command_timeout=STATEMENT_TIMEOUT, init=watch
        )
        try:
            yield pool
        finally:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(pool.close(), POOL_CLOSE_TIMEOUT)

    async def _deliver(self, payload: bytes, _attempt: int) -> None:
        """Timers go before messages: while they are behind, a few messages are under way and not all that could be."""
        async with self._deliveries_while_behind if self._engine.is_behind else contextlib.nullcontext():
            await self._delivery.deliver(msgspec.json.decode(payload, type=MessageKey))

    def _with_retries(self, task: JobFunction) -> JobFunction:
        """The task, which waits where the database is away, and is tried again after a fault: no job is given up."""

        async def do(payload: bytes, attempt: int) -> None:
            while True:
                try:
                    return await task(payload, attempt)
                except Unavailable:
                    if self._stopping.is_set():
                        raise
                    await self._sleep(FAULT_PAUSE)
                except RetryLater:
                    raise
                except Exception as error:
                    log.exception("a job is tried again later")
                    raise RetryLater(retry_delay(attempt), repr(error)) from error

        return do

    # -- what is kept no longer

    async def _clean_up(self) -> None:
        while not self._stopping.is_set():
            await clean_when_due(self._database, self._settings, self._stopping)
            await self._sleep(CLEANING_CHECK_INTERVAL)

    # -- a sign of life

    async def _send_heartbeats(self) -> None:
        while not self._stopping.is_set():
            await self._database.execute(*statement("note_heartbeat").bind(worker_id=self._id))
            await self._sleep(HEARTBEAT_INTERVAL)


def _job(name: str, task: JobFunction) -> Callable[[Job], Awaitable[None]]:
    """The task as the queue calls it, and counted."""
    done, put_off, broken = (metrics.JOBS.labels(name, outcome) for outcome in ("done", "put off", "broken"))

    async def do(job: Job) -> None:
        try:
            with span(f"job {name}", attempt=job.attempts + 1):
                await task(job.payload or b"", job.attempts + 1)
        except RetryLater as retry:
            (put_off if retry.__cause__ is None else broken).inc()
            raise RetryRequested(retry.delay, RETRY_REASON) from None
        except Unavailable as error:
            put_off.inc()
            raise RetryRequested(timedelta(seconds=FAULT_PAUSE), error.message) from None
        done.inc()

    return do
