"""Jobs: work that is done outside any transaction, and is enqueued within the transaction that decides on it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

import asyncpg
import msgspec
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.models import HealthCheckEvent, Job, TracebackRecord
from pgqueuer.queries import Queries

from leadroutes.store.connection_errors import CONNECTION_ERRORS

log = structlog.get_logger()

DELIVERY_JOB = "deliver"  # a message
ASK_JOB = "ask"  # the provider, what became of a message
REREAD_JOB = "read_again"  # an arrival of which a part has to be fetched
IMPORT_JOB = "import"  # a file of past leads, or its check
TRIAL_JOB = "trial"  # of a draft of rules, on past leads
END_CALL_JOB = "end_call"  # a call that rings although its offer is closed
RECEIVED_TEXT_JOB = "read_text"  # a text that came in


class RowKey(msgspec.Struct, frozen=True):
    """The row that a job is about."""

    owner_id: int
    id: int


async def enqueue(
    connection: Any,
    entrypoint: str,
    rows: Sequence[tuple[int, int]],
    after: Sequence[timedelta] | None = None,
    priorities: Sequence[int] | None = None,
) -> None:
    """Enqueues one job for each (owner_id, id) in the transaction of `connection`; it is started after `after`.

    Of those that can be started, those of a higher priority come first; 0 where there is none.
    """
    if not rows:
        return
    # Queries wants a connection but calls only its `fetch`, which the proxy of a pool has as well.
    queries = Queries(AsyncpgDriver(cast("asyncpg.Connection", connection)))
    payloads: list[bytes | None] = [msgspec.json.encode(RowKey(owner_id, id_)) for owner_id, id_ in rows]
    delays: list[timedelta | None] | None = list(after) if after is not None else None
    await queries.enqueue([entrypoint] * len(rows), payloads, list(priorities or [0] * len(rows)), delays)


class RetryQueries(Queries):
    """PgQueuer's statements, except one that must not fail: PgQueuer gives up a job that it cannot put off."""

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Puts a job off. If the database is unreachable, the job stays with this worker until another takes it."""
        try:
            await super().retry_job(job, delay, traceback_record)
        except CONNECTION_ERRORS as error:
            log.warning("a job could not be put off", job=job.id, error=repr(error))


class ListeningDriver(AsyncpgPoolDriver):
    """PgQueuer's connections, with an event that is set once they listen."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.is_listening = asyncio.Event()

    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        await super().add_listener(channel, callback)
        self.is_listening.set()


class ListeningQueue(QueueManager):
    """PgQueuer's queue, whose health check waits until it listens: before that it would not receive its own NOTIFY."""

    def __init__(self, driver: ListeningDriver) -> None:
        super().__init__(RetryQueries(driver))
        self._is_listening = driver.is_listening

    async def listener_healthy(self, timeout: timedelta = timedelta(seconds=10)) -> HealthCheckEvent:  # noqa: ASYNC109
        await self._is_listening.wait()
        return await super().listener_healthy(timeout)
