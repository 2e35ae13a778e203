"""The worker: wakes up when something is due, runs timers, message delivery and retention.

Any number of workers may run at once; all of their state is in the database.
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
from leadroutes.store.calls import CallKey
from leadroutes.store.connection_errors import CONNECTION_ERRORS
from leadroutes.store.counters import fold_changes
from leadroutes.store.listener import WAKE_CHANNEL
from leadroutes.store.messages import MessageKey
from leadroutes.store.outage_logs import silence_library_tracebacks
from leadroutes.store.postgres import STATEMENT_TIMEOUT, Database
from leadroutes.store.queue import ASK_JOB, DELIVERY_JOB, END_CALL_JOB, ListeningDriver, ListeningQueue
from leadroutes.worker.delivery import MessageDelivery
from leadroutes.worker.questions import Questions
from leadroutes.worker.retention import clean_when_due
from leadroutes.worker.webhooks import WebhookDelivery

log = structlog.get_logger()

MAX_SLEEP = 30.0  # seconds between two checks, in case a NOTIFY was lost
MIN_SLEEP = 0.02  # what is due may be locked by another worker
HEARTBEAT_INTERVAL = 10.0  # seconds
FOLD_INTERVAL = 5.0  # seconds between two additions of what has changed to the counters
CLEANING_CHECK_INTERVAL = 60.0  # seconds between two checks whether it was done within the last hour
FAULT_PAUSE = 1.0  # seconds
JOBS_PER_FETCH = 20  # jobs taken at once
DELIVERIES_WHILE_BEHIND = 4  # messages sent at once while more is due than fits into a batch
WORKER_TIMEOUT = timedelta(seconds=20)  # without a heartbeat, after which a worker's jobs are taken over
DEQUEUE_TIMEOUT = timedelta(seconds=5)
QUEUE_CONNECTIONS = 4
POOL_CLOSE_TIMEOUT = 5.0  # seconds
RETRY_REASON = "the outbox says why, or the log"  # the queue's log must not contain what a mail server says of a person


JobFunction = Callable[[bytes, int], Awaitable[None]]  # payload and attempt number; may raise RetryLater


class Worker:
    """`run()` until `stop()`; survives outages of PostgreSQL. `tasks`: functions for other jobs than messages."""

    def __init__(
        self, database: Database, engine: Engine, settings: Settings, tasks: Mapping[str, JobFunction] | None = None
    ) -> None:
        self._database = database
        self._engine = engine
        self._channels = open_channels(settings)
        self._delivery = MessageDelivery(database, self._channels, settings)
        self._webhooks = WebhookDelivery(database, settings)
        self._settings = settings
        questions = Questions(database, self._channels["text"])
        own_tasks: dict[str, JobFunction] = {
            DELIVERY_JOB: self._deliver, ASK_JOB: questions.ask, END_CALL_JOB: self._end_call
        }  # fmt: skip
        self._tasks = {name: self._with_retries(task) for name, task in {**own_tasks, **(tasks or {})}.items()}
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._deliveries_while_behind = asyncio.Semaphore(DELIVERIES_WHILE_BEHIND)
        self._queue: ListeningQueue | None = None
        self._id = str(uuid.uuid4())
        database.listener.listen(WAKE_CHANNEL, self._wake.set)
        silence_library_tracebacks()

    async def run(self) -> None:
        """Works until `stop()`, then finishes what has been begun."""
        loops = (
            self._run_timers, self._deliver_messages, self._webhooks.run, self._send_heartbeats, self._clean_up,
            self._fold,
        )  # fmt: skip
        await asyncio.gather(*(self._run_forever(loop) for loop in loops))
        await self._delivery.close()
        await self._webhooks.close()
        for channel in self._channels.values():
            if channel is not None:
                await channel.close()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._webhooks.stop()
        self._stop_queue()

    def _stop_queue(self) -> None:
        """Also called when one of its connections breaks, which the queue itself notices only after half a minute."""
        if self._queue is not None:
            self._queue.shutdown.set()

    async def _run_forever(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Restarts a loop that fails. An unreachable database is expected, and logged as a warning."""
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
        """Runs PgQueuer, which takes jobs, retries them and sends their heartbeats, over its own connections."""

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
        """Closing does not wait for connections that hang on an unreachable server."""
        pool = await self._database.hosts.pool(
            min_size=2, max_size=QUEUE_CONNECTIONS, command_timeout=STATEMENT_TIMEOUT, init=watch
        )
        try:
            yield pool
        finally:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(pool.close(), POOL_CLOSE_TIMEOUT)

    async def _deliver(self, payload: bytes, _attempt: int) -> None:
        """Delivers a message. Timers have priority: while they are behind, only a few messages are sent at once."""
        async with self._deliveries_while_behind if self._engine.is_behind else contextlib.nullcontext():
            await self._delivery.deliver(msgspec.json.decode(payload, type=MessageKey))

    async def _end_call(self, payload: bytes, attempt: int) -> None:
        await self._delivery.calls.end(msgspec.json.decode(payload, type=CallKey), attempt)

    def _with_retries(self, task: JobFunction) -> JobFunction:
        """Returns the task with retries: it waits for an unreachable database, and no job is given up."""

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

    # -- retention

    async def _clean_up(self) -> None:
        while not self._stopping.is_set():
            await clean_when_due(self._database, self._settings, self._stopping)
            await self._sleep(CLEANING_CHECK_INTERVAL)

    # -- counters

    async def _fold(self) -> None:
        while not self._stopping.is_set():
            await fold_changes(self._database, self._stopping)
            await self._sleep(FOLD_INTERVAL)

    # -- heartbeats

    async def _send_heartbeats(self) -> None:
        while not self._stopping.is_set():
            await self._database.execute(*statement("note_heartbeat").bind(worker_id=self._id))
            await self._sleep(HEARTBEAT_INTERVAL)


def _job(name: str, task: JobFunction) -> Callable[[Job], Awaitable[None]]:
    """Returns the task as the queue calls it, with metrics."""
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
